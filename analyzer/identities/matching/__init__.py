"""Matching: means of identities in memory, search, and writes that are free of races."""
