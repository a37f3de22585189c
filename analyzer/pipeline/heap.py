"""The memory of pictures, returned to the system when they are no longer needed."""

import ctypes
import os
import sys

MAPPED_BYTES, KEPT_BYTES = 2 << 20, 64 << 20
"""Arrays from the first size on have memory of their own; a picture of 720p has 2.7 MiB. Of what is
free at the end of the heap, the second is kept: to ask for it again takes time."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""`M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of glibc's `malloc.h`."""


def map_large_arrays() -> None:
    """Have the C library give large arrays memory of their own, and return it when they are freed.

    glibc does so from 128 KiB on at first, but raises that up to 32 MiB with each larger block that
    is freed. Then pictures lie among the small rows of faces that stay, which keep the gaps between
    them: an analysis of 720p takes a seventh more memory, and grows with the film.

    Does nothing with other C libraries, and where the user's environment sets such sizes.
    """
    is_set = {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"} & {*os.environ}
    if is_set or not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, MAPPED_BYTES)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
