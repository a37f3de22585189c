"""Cache folder of the user, for files that can be created again."""

from pathlib import Path

import platformdirs


def path(*parts: str) -> Path:
    """Return the path of a file in the cache, which may not exist.

    Args:
        parts: Folders and name below the cache folder.
    """
    return platformdirs.user_cache_path("ina").joinpath(*parts)
