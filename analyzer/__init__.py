"""Who is on screen, for how long, and how they are shown."""

__version__ = "0.1.0"
