"""Write whole files only: under a passing name first, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.errors import ResourceError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file under the passing name that this gives, so that no half file is ever found.

    Raises:
        ResourceError: the folder cannot be written to.
    """
    part = path.with_name(f"{path.name}.part.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise ResourceError(f"{path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
