"""Exports that are written where none is asked for."""

EXPORTS = ("csv", "ass", "mp4", "characters")
"""Exports of a video."""
EXPORTS_OF_STILLS = ("csv", "characters")
"""Exports of stills."""
EXPORTS_OF_POSTERS = ("posters", "poster_image")
"""Exports of a poster; of several, each has its own files."""
