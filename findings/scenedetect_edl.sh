#!/usr/bin/env bash
# Guess: an EDL that says NON-DROP FRAME counts the pictures, so that a scene is found again to the frame.
# Seen: at 29.97 pictures a second its timecodes are those of the wall clock, cut to frames: picture 107,922 is written
# as 01:00:00:29, which is picture 108,029 without drop frame. After an hour editors cut 107 pictures, or 3.6 s, late.
# At 25 the two are the same. `FCM: DROP FRAME`, which would be near, is never written.
# Version: scenedetect 0.7.2, read by opentimelineio 0.18.1.
# Source: seen; write_scene_list_edl and _edl_timecode in scenedetect/output.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    scenedetect==0.7.2 opencv-python-headless==4.12.0.88 opentimelineio==0.18.1 'numpy<3'
cat >"$folder/show.py" <<'P'
import io
from fractions import Fraction

import opentimelineio
import scenedetect
from scenedetect.output import write_scene_list_edl

seen = []
for rate in (Fraction(25), Fraction(30000, 1001)):
    hour = round(3600 * rate)
    scene = tuple(scenedetect.FrameTimecode(n, fps=rate) for n in (hour, hour + 30))
    text = io.StringIO()
    write_scene_list_edl(text, [scene])
    mode = next(line for line in text.getvalue().splitlines() if line.startswith("FCM"))
    code = text.getvalue().split()[-1]
    if rate == 25:
        read = opentimelineio.opentime.from_timecode(code, 25).value
    else:
        hours, minutes, seconds, frames = map(int, code.split(":"))
        read = ((hours * 60 + minutes) * 60 + seconds) * 30 + frames  # how non-drop counts
    print(f"{float(rate):.2f}: {mode}; picture {hour + 30} is {code}, which is picture {read:.0f}")
    seen.append(int(read) - (hour + 30))
raise SystemExit(seen != [0, 107])
P
"$folder/venv/bin/python" "$folder/show.py"
