"""Version of this package, which is written to reports and part files."""

__version__ = "0.1.0"
