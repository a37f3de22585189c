"""Files that can be made again, in the user's cache folder."""

from pathlib import Path

import platformdirs


def path(*parts: str) -> Path:
    """Where a cached file of these path parts lies, whether it exists or not."""
    return platformdirs.user_cache_path("ina").joinpath(*parts)
