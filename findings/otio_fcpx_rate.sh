#!/usr/bin/env bash
# Guess: OpenTimelineIO reads a Final Cut project of 29.97 pictures a second with that rate: a clip of 30 pictures
# has 30, one of a single picture has 1.
# Seen: the adapter cuts the rate down to a whole number, and then the number of pictures, too: the rate is 29, 30
# pictures are 29, and a single one is 0. At 25 a second all is right.
# Version: otio-fcpx-xml-adapter 1.0.0 with opentimelineio 0.17.0 and 0.18.1.
# Source: seen; _format_frame_rate and to_rational_time in fcpx_xml.py
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import sys

import opentimelineio as otio


def read(path, frame):
    """Return rates and pictures of clips of 30 pictures and of one, each of `frame` (ticks, per second)."""
    ticks, second = frame

    def s(pictures):
        return f"{pictures * ticks}/{second}s"

    clips = "".join(
        f'<asset-clip name="{name}" ref="r2" offset="{s(at)}" start="0s" duration="{s(count)}" format="r1"/>'
        for name, at, count in (("long", 0, 30), ("short", 30, 1))
    )
    with open(path, "w") as file:
        file.write(
            f"""<?xml version="1.0"?><!DOCTYPE fcpxml><fcpxml version="1.8"><resources>
<format id="r1" frameDuration="{ticks}/{second}s" width="1280" height="720"/>
<asset id="r2" name="film" src="file:///film.mov" start="0s" duration="{s(31)}" hasVideo="1" format="r1"/>
</resources><library><event name="e"><project name="p"><sequence format="r1" duration="{s(31)}">
<spine>{clips}</spine></sequence></project></event></library></fcpxml>"""
        )
    found = otio.adapters.read_from_file(path, adapter_name="fcpx_xml").find_clips()
    return [(clip.source_range.duration.value, clip.source_range.duration.rate) for clip in found]


print("25:", read(sys.argv[1], (1, 25)), "29.97:", read(sys.argv[1], (1001, 30000)))
P
failed=0
for version in 0.17.0 0.18.1; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check \
        "opentimelineio==$version" otio-fcpx-xml-adapter==1.0.0
    seen=$("$folder/$version/bin/python" "$folder/show.py" "$folder/film.fcpxml" 2>/dev/null)
    echo "opentimelineio $version, (pictures, rate) of clips of 30 and of 1, at $seen"
    [[ "$seen" == "25: [(30.0, 25.0), (1.0, 25.0)] 29.97: [(29.0, 29.0), (0.0, 29.0)]" ]] || failed=1
done
exit $failed
