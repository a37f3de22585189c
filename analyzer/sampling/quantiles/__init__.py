"""Quantiles of distributions, from a library that is slow to load."""
