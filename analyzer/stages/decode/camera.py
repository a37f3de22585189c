"""A camera, by its number: frames without end, timed by the clock."""

import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from analyzer.errors import InputError, UsageError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import Watcher
from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard

_RATE = 30.0
"""Frames a second, where a camera does not tell."""


def create(*, frame_step: int | None = None, runtime: Runtime) -> "CameraDecoder":
    """A camera; frame_step: take every Nth frame."""
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
                f"camera {path}: cannot be opened; is it plugged in, and used by nobody else? "
                "Others are python -m analyzer webcam 1, and so on"
            )
        # The newest picture, not one of a queue.
        camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return CameraMedium(f"camera {path}", camera, self._step)

    def pictures(self, path: str, times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Refuse: what a camera saw is gone; see `analyzer.stages.decode.Decoder`.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"camera {path}: what it saw is gone; record it, and analyse the video")


class CameraMedium:
    """An open camera; see `analyzer.stages.decode.Medium`."""

    def __init__(self, uri: str, camera: cv2.VideoCapture, step: int) -> None:
        self._camera, self._step = camera, step
        self.frames_decoded = 0
        self.damaged = 0
        self.missing_s = 0.0
        self.reached_end = False
        self.needs_care = False
        self.info = MediaInfo(
            uri=uri,
            kind="video",
            width_px=int(camera.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height_px=int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            frame_rate=None,
            duration_s=0.0,
        )

    def __enter__(self) -> "CameraMedium":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the camera back."""
        self._camera.release()

    @property
    def range_s(self) -> tuple[float, float]:
        """From now on, without end."""
        return 0.0, float("inf")

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield frames until the camera is gone; see `analyzer.stages.decode.Medium`."""
        duration_s = self._step / (self._camera.get(cv2.CAP_PROP_FPS) or _RATE)
        started = time.monotonic()
        while True:
            there, picture = self._camera.read()
            if not there:
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
