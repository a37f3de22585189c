"""Version of this package; it stands in reports and part files."""

__version__ = "0.1.0"
