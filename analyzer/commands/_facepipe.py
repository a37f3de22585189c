"""`older facepipe`: the command line of facepipe."""

import argparse
import sys
from pathlib import Path
from typing import Any

from analyzer.commands import _older
from analyzer.commands._progress import bar

_IGNORED = ("num_det", "num_emb", "q_frames", "q_faces", "blur_resize")
_OPTIONS: dict[str, tuple[Any, str]] = {
    "det_model": (str, "SCRFD, RetinaFace or YuNet network (default: CenterFace)"),
    "rec_model": (str, "network of embeddings (default: dlib's ResNet)"),
    "det_input": (str, "sides of the detector's input (default: 640x640)"),
    "det_thresh": (float, "confidence of the detector (default: the detector's)"),
    "nms_thresh": (float, "IoU above which two boxes are one face (default: the detector's)"),
    "min_face": (float, "smallest face in pixels (default: any)"),
    "frame_step": (int, "every how many frames one is analysed (default: 1)"),
    "redis_host": (str, "Redis server of the identities (default: the file people.identities)"),
    "redis_port": (int, "its port (default: 6379)"),
    "redis_prefix": (str, "start of its keys (default: ina)"),
    "sim_thresh": (float, "cosine similarity of one person (default: the network's)"),
    "refine_limit": (int, "faces that a centroid is made of (default: 50)"),
    "blur_var_thresh": (float, "variance of the Laplacian of a sharp frame (default: 100)"),
    "blur_grid": (int, "cells on a side; 0: the whole picture (default: 0)"),
    "blur_grid_min_keep": (float, "share or number of sharp cells (default: 0.5)"),
    "save_dir": (Path, "folder of the faces (default: faces)"),
}
"""Option of facepipe -> type and help."""


def add(tools: Any) -> None:
    """Add the tool to the subparsers of `older`."""
    parser = _older.tool(
        tools,
        "facepipe",
        "count each face of a video in a store",
        "--video film.mp4 --frame-step 15 --redis-host localhost",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--video", required=True, metavar="V", help="the video")
    for name, (kind, text) in _OPTIONS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=kind, metavar=name.rpartition("_")[2].upper(), help=text)
    parser.add_argument("--blur-enable", action="store_true", help="leave blurred frames out")
    parser.add_argument("--save-images", action="store_true", help="save every face")
    parser.add_argument("--debug", action="store_true", help="print the counts of each step, too")
    _older.add_ignored(parser, _IGNORED)


def run(args: argparse.Namespace) -> int:
    """Print what facepipe prints: time, counts, and the frequency of each identity."""
    from analyzer.workflows.older import facepipe

    _older.note_ignored(args)
    names = ("video", "blur_enable", "save_images", *_OPTIONS)
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    with bar(args.video) as progress:
        done = facepipe.run(facepipe.FacepipeArguments(**given), progress)
    tally = done.report.tally
    for note in (*done.notes, *done.report.notes):
        print(f"note: {note}", file=sys.stderr)
    if args.debug:
        print(tally, file=sys.stderr)
    print(f"elapsed: {done.elapsed_s:.1f} s")
    print(f"faces detected: {tally.faces_detected}")
    print(f"faces embedded: {tally.faces_described}")
    print(f"faces saved: {tally.faces_kept}")
    print(f"store: {done.counters}")
    for identity, faces in done.frequencies:
        print(f"identity {identity}: {faces}")
    if args.save_images:
        print(f"{done.crops} pictures -> {args.save_dir or 'faces'}")
    return 0
