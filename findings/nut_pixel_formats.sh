#!/usr/bin/env bash
# Guess: NUT holds raw video of any pixel format; one that it has no code for is refused when it is written.
# Seen: p010le, nv16 and x2rgb10le are written without an error and read back as rgb555le, of other
# colours, without an error, too; yuv420p10le comes back as it was.
# Version: av 12.3.0 and 18.1.0 (FFmpeg 6.1 and 8.1).
# Source: seen
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import sys

import av
import numpy as np

path = sys.argv[1]
for pixels in ("yuv420p10le", "p010le", "nv16", "x2rgb10le"):
    grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
    picture = grey.reformat(format=pixels)
    picture.pts = 0
    with av.open(path, "w", format="nut") as film:
        stream = film.add_stream("rawvideo", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = pixels
        for packet in [*stream.encode(picture), *stream.encode()]:
            film.mux(packet)
    with av.open(path) as film:
        read = next(film.decode(video=0))
        print(f"{pixels}>{read.format.name}", end=" ")
P
failed=0
for version in 12.3.0 18.1.0; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check "av==$version" 'numpy<3'
    seen=$("$folder/$version/bin/python" "$folder/show.py" "$folder/film.nut" 2>/dev/null)
    echo "av $version, written > read: $seen"
    [[ "$seen" == "yuv420p10le>yuv420p10le p010le>rgb555le nv16>rgb555le x2rgb10le>rgb555le " ]] || failed=1
done
exit $failed
