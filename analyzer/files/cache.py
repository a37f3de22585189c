"""Files that can be made again, in the user's cache folder."""

from pathlib import Path

import platformdirs


def path(*parts: str) -> Path:
    """Return the path of a cached file, which may not exist."""
    return platformdirs.user_cache_path("ina").joinpath(*parts)
