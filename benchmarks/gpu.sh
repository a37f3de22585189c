#!/bin/sh
# Speed on an NVIDIA card, on a machine with PyTorch, numpy and onnx and nothing else installable.
#
#   benchmarks/gpu.sh networks DIR          here: write the networks, 57 MB, to be copied along
#   benchmarks/gpu.sh DIR FIGURES.json      there: measure, in less than 6 minutes
#   benchmarks/gpu.sh DIR FIGURES.json --dry    anywhere: try it on the CPU, in seconds
#
# PYTHON names another Python.
set -eu
if [ $# -lt 2 ]; then
    sed -n 's/^#   *//p' "$0" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
if [ "$1" = networks ]; then
    exec "${PYTHON:-python3}" -m benchmarks._gpu_networks "$2"
fi
networks=$1 figures=$2
shift 2
exec timeout 360 "${PYTHON:-python3}" -m benchmarks._gpu "$networks" --json "$figures" "$@"
