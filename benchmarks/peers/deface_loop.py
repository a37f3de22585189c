"""The loop of deface over every frame of a video, without its blurring: imageio and CenterFace.

Runs in the environment of the peers: PYTHON deface_loop.py VIDEO WIDTH HEIGHT
"""

import json
import sys
import time

import imageio
from deface.centerface import CenterFace


def main(path: str, width: str, height: str) -> None:
    """Print seconds and faces as JSON."""
    network = CenterFace(in_shape=(int(width), int(height)), backend="onnxrt")
    started = time.perf_counter()
    frames = faces = 0
    for picture in imageio.get_reader(path).iter_data():
        found, _ = network(picture, threshold=0.5)
        frames, faces = frames + 1, faces + len(found)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "faces": faces, "frames": frames}))


main(*sys.argv[1:])
