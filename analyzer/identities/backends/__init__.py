"""Plug-ins: where identities are stored.

A file per kind of address, each with `open(...)`; the contract is in `analyzer.identities`.
"""
