#!/usr/bin/env bash
# Guess: the ffmpeg in the wheel of imageio-ffmpeg is static, so it does the same on every Linux.
# Seen: on Debian 12 (glibc 2.36), that of 0.6.0 (FFmpeg 7.0.2) dies of SIGSEGV on every MPEG transport stream
# that names its service, also on its own: it asks iconv, which loads the system's modules of another glibc.
# Any path in GCONV_PATH avoids it. The dynamic ffmpeg of 0.8.0 (9.0.2) reads the same file.
# Version: imageio-ffmpeg 0.6.0 and 0.8.0. Source: https://github.com/gradio-app/gradio/issues/13848
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}

for version in 0.6.0 0.8.0; do
    "$python" -m pip install -q --disable-pip-version-check --no-deps --target "$folder/$version" "imageio-ffmpeg==$version"
done
static=$(echo "$folder"/0.6.0/imageio_ffmpeg/binaries/ffmpeg-linux-*)
newer=$(echo "$folder"/0.8.0/imageio_ffmpeg/binaries/ffmpeg-linux-*)
chmod +x "$static" "$newer"
"$static" -version | head -n 1
"$newer" -version | head -n 1
"$static" -v error -f lavfi -i testsrc=duration=1 -c:v mpeg2video "$folder/film.ts"

failed=0
expect() { # WHAT, EXPECTED EXIT CODE, COMMAND
    local what=$1 expected=$2 code=0
    shift 2
    (exec "$@" -v error -i "$folder/film.ts" -f null -) 2>/dev/null || code=$?
    echo "$what: exit $code"
    [[ $code == "$expected" ]] || failed=1
}
expect "7.0.2 reads its own transport stream" 139 "$static"
expect "7.0.2 with GCONV_PATH" 0 env GCONV_PATH=/nonexistent "$static"
expect "9.0.2" 0 "$newer"
exit $failed
