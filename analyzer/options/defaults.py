"""Exports that are written by default."""

EXPORTS = ("csv", "ass", "mp4", "characters")
"""Exports of a video."""
EXPORTS_OF_STILLS = ("csv", "characters")
"""Exports of stills."""
EXPORTS_OF_POSTERS = ("posters", "poster_image", "poster_crops")
"""Exports of a poster; each of several posters has its own files."""
