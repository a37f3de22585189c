#!/usr/bin/env bash
# Guess: the first picture of a film is shown at the start that its stream states, so that time less start is 0.
# Seen: of H.264 without B-frames in AVI, every picture has a pts one frame after its dts: the first one comes at
# 0.04 s of a stream that starts at 0. AVI holds no pts; the demuxer makes them up, and the stated start does not
# follow.
# Version: av 12.3.0 and 18.1.0 (FFmpeg 6.1 and 8.1).
# Source: seen; compute_pkt_fields in libavformat/demux.c
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import sys

import av
import numpy as np

path = sys.argv[1]
with av.open(path, "w", format="avi") as film:
    stream = film.add_stream("libx264", rate=25, options={"bf": "0"})
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    for n in range(4):
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 40 * n, np.uint8))
        picture.pts = n
        for packet in stream.encode(picture):
            film.mux(packet)
    for packet in stream.encode():
        film.mux(packet)
with av.open(path) as film:
    stream = film.streams.video[0]
    times = [f"{picture.time:.2f}" for picture in film.decode(video=0)]
    print("start", stream.start_time, "times", *times)
P
failed=0
for version in 12.3.0 18.1.0; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check "av==$version" 'numpy<3'
    seen=$("$folder/$version/bin/python" "$folder/show.py" "$folder/film.avi" 2>/dev/null)
    echo "av $version, four pictures at 25 a second: $seen"
    [[ "$seen" == "start 0 times 0.04 0.08 0.12 0.16" ]] || failed=1
done
exit $failed
