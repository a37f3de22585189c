"""The figures as a table in the README, between two markers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
_ROWS = (
    ("10 minutes of 720p at 1 fps, seconds", "whole_s", "decode_s", "ffmpeg decodes it"),
    ("the same without looking for cuts", "without_shots_s", "decode_s", "ffmpeg decodes it"),
    ("a frame in 10 s, without cuts", "sparse_s", "decode_s", "ffmpeg decodes it"),
    ("`--engine videokeyframes`", "key_frames_s", "decode_s", "ffmpeg decodes it"),
    ("a clip of 10 s at 5 fps, seconds", "fps5_s", "fps5_face_recognition_s", "face_recognition"),
    ("detection in every frame, ms", "detection_ms_per_frame", "detection_deface_ms_per_frame",
     "deface, same network"),
    ("description of a face, ms", "describe_ms_per_face", "", ""),
    ("clustering of 10,000 tracks, seconds", "cluster_10000_tracks_s", "", ""),
    ("ASS of 2 hours, seconds", "ass_2_hours_s", "", ""),
    ("MP4 with boxes, seconds", "mp4_s", "mp4_ffmpeg_s", "ffmpeg encodes it again"),
    ("20 clips by 2 workers, seconds", "clips_2_workers_s", "clips_1_worker_s",
     "1 worker, all cores"),
)  # fmt: skip
"""What is measured, the figure, that of a peer, and who that is."""


def markdown(speed: Mapping[str, float], machine: Mapping[str, Any]) -> str:
    """The table and, below it, where its figures come from."""
    lines = ["| what | here | beside it | ratio |", "|---|---|---|---|"]
    for what, ours, theirs, peer in _ROWS:
        here = speed[ours]
        beside = f"{speed[theirs]:.3g} ({peer})" if theirs else ""
        ratio = f"{here / speed[theirs]:.2f}" if theirs else ""
        lines.append(f"| {what} | {here:.3g} | {beside} | {ratio} |")
    where = f"{machine['cores']} cores of {machine['cpu']}, load {machine['load']:.1f}"
    said = f"Medians of {speed['runs']:.0f} alternating runs on {where}, {machine['commit']}."
    return "\n".join([*lines, "", said])


def put(readme: Path, table: str) -> bool:
    """Replace what stands between the markers; whether there are any."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        return False
    readme.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")
    return True
