"""Files: atomic writes, hashes, zip archives, CSV columns, the cache folder, the ffmpeg binary.

In: paths and values. Out: whole files, or one error with its cure.
Used by every floor above; it knows no faces.
"""
