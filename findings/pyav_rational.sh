#!/usr/bin/env bash
# Guess: what PyAV gives for a rate equals a Fraction and hashes like one, so it rounds like one; and what a
# film does not say is None, as it was.
# Seen: in 19 it is a class that is no numbers.Rational: round() and int() raise TypeError, floor() does not, and
# an unset aspect is AVRational(0, 1), so that "is None" no longer finds it.
# Version: av 18.1.0 and 19.0.2.
# Source: https://github.com/PyAV-Org/PyAV/pull/2382
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import math
import sys
from fractions import Fraction

import av
import numpy as np

path = sys.argv[1]
with av.open(path, "w") as film:
    stream = film.add_stream("mjpeg", rate=25)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuvj420p"
    picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
    for packet in [*stream.encode(picture), *stream.encode()]:
        film.mux(packet)


def outcome(call):
    try:
        return call()
    except TypeError:
        return "TypeError"


with av.open(path) as film:
    stream = film.streams.video[0]
    rate, aspect = stream.average_rate, stream.sample_aspect_ratio
    print(
        rate == Fraction(25) and hash(rate) == hash(Fraction(25)),
        outcome(lambda: round(rate)),
        outcome(lambda: int(rate)),
        outcome(lambda: math.floor(rate)),
        float(rate),
        repr(aspect),
    )
P
failed=0
expect() { # VERSION, EXPECTED
    "$python" -m venv "$folder/$1"
    "$folder/$1/bin/python" -m pip install -q --disable-pip-version-check "av==$1" 'numpy<3'
    seen=$("$folder/$1/bin/python" "$folder/show.py" "$folder/film.mkv")
    echo "av $1: equal to a Fraction, round, int, floor, float, unset aspect: $seen"
    [[ "$seen" == "$2" ]] || failed=1
}
expect 18.1.0 "True 25 25 25 25.0 None"
expect 19.0.2 "True TypeError TypeError 25 25.0 AVRational(0, 1)"
exit $failed
