"""ffmpeg as a process that encodes what is written to its standard input."""

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from analyzer.errors import AnalyzerError, InputError, ResourceError

_PIPE_BYTES = 1 << 20
_RESOURCE_SIGNS = ("No space left on device", "Cannot allocate memory", "Disk quota exceeded")
_INPUT_SIGNS = ("Invalid data found", "moov atom not found", "Error opening input")


def run(
    argv: Sequence[str], folder: str, name: str, feed: Callable[[IO[bytes]], None]
) -> AnalyzerError | None:
    """Run ffmpeg to its end.

    Args:
        argv: Its command line.
        folder: Its working folder.
        name: Path of the medium, for messages.
        feed: Function that writes to ffmpeg's input; what it raises ends ffmpeg at once.

    Returns:
        The error that explains best why ffmpeg failed; `None` where it did not.
    """
    with (
        tempfile.TemporaryFile("w+", errors="replace") as errors,
        subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment(folder),
        ) as process,
    ):
        assert process.stdin is not None
        try:
            is_read = _is_fed(process.stdin, feed)
            code = process.wait()
        except BaseException:
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()
            raise
        return None if is_read and code == 0 else _failure(name, code, errors)


def environment(folder: str) -> dict[str, str]:
    """Return the environment of ffmpeg.

    Static builds (imageio-ffmpeg 0.6) may load the system's character sets, which are of another C
    library, and then crash. With a path of its own they are left out.
    """
    return {"GCONV_PATH": folder, **os.environ}


def _is_fed(stream: IO[bytes], feed: Callable[[IO[bytes]], None]) -> bool:
    """Write all that is to be written; return whether ffmpeg has read it."""
    with suppress(OSError):  # an unprivileged user has a limit over all pipes
        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    try:
        feed(stream)
        stream.close()
    except BrokenPipeError:
        with suppress(BrokenPipeError):
            stream.close()
        return False
    return True


def _failure(name: str, code: int, errors: IO[str]) -> AnalyzerError:
    """Return the error that explains best why ffmpeg failed."""
    errors.seek(0)
    tail = " | ".join(errors.read().strip().splitlines()[-4:]) or f"exit status {code}"
    message = f"{name}: ffmpeg could not make the mp4: {tail}"
    if code < 0 or any(sign in tail for sign in _RESOURCE_SIGNS):
        return ResourceError(f"{message}; see to free disk and memory")
    kind = InputError if any(sign in tail for sign in _INPUT_SIGNS) else AnalyzerError
    return kind(message)
