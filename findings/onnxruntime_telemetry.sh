#!/usr/bin/env bash
# Guess: on Linux, importing onnxruntime writes nothing outside its folder (telemetry was for Windows builds).
# Seen: since 1.29 the import alone leaves a device id and a database with an event to be sent, with the
# path of the Python interpreter, the processor and the system, in ~/.cache/Microsoft. 1.28 leaves nothing.
# ORT_DISABLE_TELEMETRY=1 before the import prevents it; after the import it is too late.
# Version: onnxruntime 1.28.0 and 1.32.0 (wheels for x86_64 Linux).
# Source: https://github.com/microsoft/onnxruntime/pull/27379
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}

left_by() { # VERSION, then VARIABLE=VALUE: the files in an empty home after an import
    local version=$1 home
    shift
    home=$(mktemp -d -p "$folder")
    env -i PATH="$PATH" HOME="$home" "$@" "$folder/$version/bin/python" -c 'import onnxruntime'
    (cd "$home" && find . -type f | sort | tr '\n' ' ')
    last_home=$home
}

for version in 1.28.0 1.32.0; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check "onnxruntime==$version" 'numpy<3'
done

failed=0
expect() { # WHAT, EXPECTED, SEEN
    echo "$1: ${3:-nothing}"
    [[ "$3" == "$2" ]] || failed=1
}
cache=./.cache/Microsoft/DeveloperTools/.onnxruntime
both="$cache/deviceid $cache/onnxruntime.db "
expect "1.28.0" "" "$(left_by 1.28.0)"
expect "1.32.0" "$both" "$(left_by 1.32.0)"
expect "1.32.0, ORT_DISABLE_TELEMETRY=1" "" "$(left_by 1.32.0 ORT_DISABLE_TELEMETRY=1)"

left_by 1.32.0 >/dev/null
events=$("$python" - "$last_home/${cache#./}/onnxruntime.db" <<'P'
import sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("select payload from events").fetchall()
print(len(rows), "queued;", "names the interpreter" if any(b"/bin/python" in r[0] for r in rows) else "no path")
P
)
expect "events of 1.32.0 after an import" "1 queued; names the interpreter" "$events"
exit $failed
