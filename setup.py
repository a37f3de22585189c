"""A shim for tools that call it; the metadata stands in pyproject.toml."""

from setuptools import setup

setup()
