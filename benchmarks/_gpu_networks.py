"""Write the networks that `benchmarks/gpu.sh` measures, where this project is installed."""

import sys
from pathlib import Path

from analyzer import registry
from analyzer.inference.backends import Session
from analyzer.inference.runtime import Runtime


class _Recorder(Runtime):
    """Remembers the networks that it loads."""

    def load(self, model: Path | bytes) -> Session:
        """Load a network; see `Runtime.load`."""
        self.model = model if isinstance(model, bytes) else model.read_bytes()
        return super().load(model)


def write(folder: Path) -> None:
    """Write `detect.onnx` and `describe.onnx`: CenterFace, and the describer with sex and age.

    The describer is that of faces as they are, without their mirror images.

    Args:
        folder: Folder of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recorder = _Recorder(device="cpu")
    registry.load("detect", "centerface", runtime=recorder)
    (folder / "detect.onnx").write_bytes(recorder.model)
    spec = "dlib_resnet:mirror=false"
    registry.load("describe", spec, runtime=recorder, attributes=("sex", "age"))
    (folder / "describe.onnx").write_bytes(recorder.model)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
