#!/usr/bin/env bash
# Guess: the name of a speaker in an RTTM file is text, so a film's NA, None or 007 come back as they are written.
# Seen: load_rttm reads with pandas' list of missing values: NA, None, null and nan become the float nan, so that
# these people are one label; 007 stays text. Their time counts for one speaker in every metric.
# Version: pyannote.database 5.1.3 and 6.1.1 (pandas 3.1.1).
# Source: seen; load_rttm in pyannote/database/util.py
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import sys
from importlib.metadata import version

from pyannote.database.util import load_rttm

names = ["NA", "None", "null", "nan", "007", "Ada"]
with open(sys.argv[1], "w") as file:
    for second, name in enumerate(names):
        file.write(f"SPEAKER film 1 {second}.0 1.0 <NA> <NA> {name} <NA> <NA>\n")
labels = load_rttm(sys.argv[1])["film"].labels()
print("pandas", version("pandas"), "written", *names, "| read", *[repr(label) for label in labels])
P
failed=0
for version in 5.1.3 6.1.1; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check \
        "pyannote.database==$version" pandas==3.1.1
    seen=$("$folder/$version/bin/python" "$folder/show.py" "$folder/film.rttm" 2>/dev/null)
    echo "pyannote.database $version, $seen"
    [[ "$seen" == *"| read '007' 'Ada' nan" ]] || failed=1
done
exit $failed
