"""Erasure of one person from reports, result files and the identity store.

In: a name or an identity, and the files of results. Out: rewritten files and a list of leftovers.
Used by the command `forget`; it never decodes a medium.
"""
