#!/usr/bin/env bash
# Guess: `import scenedetect` starts no other program; ffmpeg is needed, and looked for, when a film is split.
# Seen: the import itself runs `ffmpeg -v quiet`, the first one on PATH, and waits for it: some 60 ms a process, and an
# audit or sandbox of a program that only looks for cuts sees a child that nobody asked for. 0.6.0 did not.
# Version: scenedetect 0.6.7.1 and 0.7.2 against 0.6.0, with opencv-python-headless 4.12.0.88.
# Source: seen, by Python's audit events; 0.6.7.1 and 0.7.2 look for ffmpeg in the module that splits films.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import sys

started = []
sys.addaudithook(lambda event, values: started.append(values[1]) if event == "subprocess.Popen" else None)
import scenedetect

print(*(" ".join(command) for command in started) if started else ["nothing"])
P
failed=0
expect() { # VERSION, EXPECTED
    "$python" -m venv "$folder/$1"
    "$folder/$1/bin/python" -m pip install -q --disable-pip-version-check \
        "scenedetect==$1" opencv-python-headless==4.12.0.88 'numpy<3'
    seen=$("$folder/$1/bin/python" "$folder/show.py")
    echo "scenedetect $1: import started: $seen"
    [[ "$seen" == "$2" ]] || failed=1
}
expect 0.6.0 "nothing"
expect 0.6.7.1 "ffmpeg -v quiet"
expect 0.7.2 "ffmpeg -v quiet"
exit $failed
