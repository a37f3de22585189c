"""The user's cache folder, for files that can be made again."""

from pathlib import Path

import platformdirs


def path(*parts: str) -> Path:
    """Return the path of a cached file, which may not exist."""
    return platformdirs.user_cache_path("ina").joinpath(*parts)
