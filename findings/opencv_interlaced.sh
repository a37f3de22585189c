#!/usr/bin/env bash
# Guess: where VideoCapture.read() answers True, the picture is the film's; a library that cannot convert it answers
# False or raises.
# Seen: of interlaced DV with 4:2:0 colours, OpenCV 5 returns True and a black picture for each; 4.12 gives the
# pictures. Only a line of FFmpeg's on stderr tells.
# Version: opencv-python-headless 4.12.0.88 and 5.0.0.93; the film is made with av 18.1.0.
# Source: seen; the line says that interlaced cannot be converted to progressive.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/make.py" <<'P'
import sys

import av
import numpy as np

with av.open(sys.argv[1], "w", format="avi") as film:
    stream = film.add_stream("dvvideo", rate=25)
    stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
    for n in range(4):
        picture = av.VideoFrame.from_ndarray(np.full((576, 720, 3), 60 + n * 40, np.uint8))
        picture.pts = n
        for packet in stream.encode(picture):
            film.mux(packet)
P
cat >"$folder/show.py" <<'P'
import sys

import cv2

film = cv2.VideoCapture(sys.argv[1])
pictures = [film.read() for _ in range(4)]
print(*(f"{found}:{round(float(picture.mean()), -1):.0f}" for found, picture in pictures))
P
pip() { # FOLDER, PACKAGE...
    "$python" -m venv "$folder/$1"
    "$folder/$1/bin/python" -m pip install -q --disable-pip-version-check "${@:2}"
}
pip make av==18.1.0 'numpy<3'
"$folder/make/bin/python" "$folder/make.py" "$folder/film.avi"
failed=0
expect() { # VERSION, EXPECTED
    pip "$1" "opencv-python-headless==$1"
    seen=$("$folder/$1/bin/python" "$folder/show.py" "$folder/film.avi" 2>"$folder/errors")
    echo "opencv $1: read() and the mean of four grey pictures, 60 100 140 180: $seen"
    [[ "$seen" == "$2" ]] || failed=1
}
expect 4.12.0.88 "True:60 True:100 True:140 True:180"
expect 5.0.0.93 "True:0 True:0 True:0 True:0"
exit $failed
