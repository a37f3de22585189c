#!/usr/bin/env bash
# Guess: a newer PyAV still tells the orientation of a decoded picture, whatever else the picture carries; a kind of
# side data without a name in PyAV is left out, or only that one cannot be read.
# Seen: FFmpeg 8.1 hands on EXIF as a kind of side data of its own, and one kind without a name makes all side data of
# the picture unreadable: ValueError, from a plain JPEG of a camera. Before, the display matrix was there.
# Version: av 16.1.0 (FFmpeg 8.0) and 18.1.0 (FFmpeg 8.1).
# Source: seen; av/sidedata/sidedata.py, the enumeration Type
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import io

import av
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6  # Orientation: turn by 90 degrees
for options in ({}, {"exif": exif}):
    jpeg = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(jpeg, "JPEG", **options)
    jpeg.seek(0)
    with av.open(jpeg, format="mjpeg") as film:
        picture = next(film.decode(video=0))
    try:
        print("DISPLAYMATRIX" in str(list(picture.side_data)), end=" ")
    except ValueError as error:
        print(f"ValueError: {error}", end=" ")
P
failed=0
expect() { # VERSION, EXPECTED
    "$python" -m venv "$folder/$1"
    "$folder/$1/bin/python" -m pip install -q --disable-pip-version-check "av==$1" 'numpy<3' 'pillow==12.0.0'
    seen=$("$folder/$1/bin/python" "$folder/show.py")
    echo "av $1, display matrix of a JPEG without and with EXIF: $seen"
    [[ "$seen" == "$2 " ]] || failed=1
}
expect 16.1.0 "False True"
expect 18.1.0 "False ValueError: 31 is not a valid Type"
exit $failed
