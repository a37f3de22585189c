"""Files: atomic writes, hashes, zip archives, CSV columns, the cache folder, the ffmpeg binary.

In: paths and values. Out: complete files, or one error that says what to do.
Used by every package above it; it contains nothing about faces.
"""
