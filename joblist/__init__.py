"""Joblists: what their columns mean, read once and strictly, for the server and for one machine.

It stands beside `analyzer` and `jobs`, which never import each other, and imports neither.
"""
