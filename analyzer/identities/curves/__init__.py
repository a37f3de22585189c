"""Curves through answers, from a library that is slow to load."""
