"""A camera, by its number: an endless stream of frames, timed by the clock."""

import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from analyzer.errors import InputError, UsageError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Watcher
from analyzer.stages.decode._medium import OpenMedium
from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard

_DEFAULT_RATE = 30.0
"""Frames a second, where a camera does not state its rate."""


def create(*, frame_step: int | None = None, runtime: Runtime) -> "CameraDecoder":
    """Return a decoder of cameras.

    Args:
        frame_step: Every how many frames a sample is taken.
        runtime: Not used.
    """
    return CameraDecoder(frame_step or 1)


class CameraDecoder:
    """Opens cameras; see `analyzer.stages.decode.Decoder`."""

    def __init__(self, step: int) -> None:
        self._step = step

    def open(
        self,
        path: str,
        *,
        shard: Shard | None = None,
        careful: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> "CameraMedium":
        """Open the camera of this number; see `analyzer.stages.decode.Decoder`."""
        camera = cv2.VideoCapture(int(path))
        if not camera.isOpened():
            camera.release()
            raise InputError(
                f"camera {path}: cannot be opened; is it plugged in, and free of other programs? "
                "Others are python -m analyzer webcam 1, and so on"
            )
        # The newest picture, not one of a queue.
        camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return CameraMedium(f"camera {path}", camera, self._step)

    def pictures(self, path: str, times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Refuse to find pictures again: those of a camera are gone.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"camera {path}: what it saw is gone; record it, and analyse the video")


class CameraMedium(OpenMedium):
    """An open camera; see `analyzer.stages.decode.Medium`."""

    def __init__(self, uri: str, camera: cv2.VideoCapture, step: int) -> None:
        info = MediaInfo(
            uri=uri,
            kind="video",
            width_px=int(camera.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height_px=int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            frame_rate=None,
            duration_s=0.0,
        )
        super().__init__(info)
        self._camera, self._step = camera, step

    def close(self) -> None:
        """Release the camera."""
        self._camera.release()

    @property
    def range_s(self) -> tuple[float, float]:
        """Zero and infinity: a camera has no end."""
        return 0.0, float("inf")

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield frames until the camera stops; see `analyzer.stages.decode.Medium`."""
        duration_s = self._step / (self._camera.get(cv2.CAP_PROP_FPS) or _DEFAULT_RATE)
        started = time.monotonic()
        while True:
            is_read, picture = self._camera.read()
            if not is_read:
                break
            if self.frames_decoded % self._step == 0:
                yield Frame(
                    index=self.frames_decoded,
                    time_s=time.monotonic() - started,
                    duration_s=duration_s,
                    image=np.ascontiguousarray(picture[:, :, ::-1]),
                )
            self.frames_decoded += 1
        self.reached_end = True
