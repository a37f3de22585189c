"""The media that are measured: a clip of people, and longer ones made of it.

``CLIP`` names another clip; by default it is short_hamilton_clip.mp4 in the folder of real media
beside the checkout, and where that is missing the sample of ``make demo``.
"""

import os
import subprocess
import sys
from pathlib import Path

from analyzer.files.ffmpeg import find_ffmpeg

_ROOT = Path(__file__).parent.parent
_REAL = _ROOT.parent / "shared" / "media" / "video" / "short_hamilton_clip.mp4"
STREET = _REAL.with_name("street_market.mp4")
"""A crowded street, in the folder of real media."""
_MINUTE_S = 60


def clip(folder: Path) -> Path:
    """A video of some seconds."""
    if os.environ.get("CLIP"):
        return Path(os.environ["CLIP"]).resolve()
    if _REAL.exists():
        return _REAL
    command = [sys.executable, "-m", "analyzer", "sample", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "sample.mp4"


def few_faces(folder: Path, seconds: int) -> Path:
    """Make a minute, or less, of moving patterns with the sample's faces in its last twelfth."""
    length = min(_MINUTE_S, seconds)
    faces_s = length / 12
    command = [sys.executable, "-m", "analyzer", "sample", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    path = folder / "few_faces.mp4"
    patterns = f"testsrc2=size=1280x720:rate=25:duration={length - faces_s},noise=alls=8:allf=t"
    joined = (
        "[0:v]setsar=1,format=yuv420p[patterns];"
        "[1:v]scale=1280:720,setsar=1,fps=25,format=yuv420p[faces];[patterns][faces]concat=n=2[v]"
    )
    faces = ("-t", faces_s, "-i", folder / "sample.mp4")
    ffmpeg("-f", "lavfi", "-i", patterns, *faces, "-filter_complex", joined, "-map", "[v]", path)
    return path


def looped(source: Path, folder: Path, seconds: int) -> Path:
    """A clip scaled to 1280 x 720, and repeated without being encoded again."""
    scaled, path = folder / "720p.mp4", folder / f"{seconds} s.mp4"
    if not scaled.exists():
        filters = ("-vf", "scale=1280:720,setsar=1", "-c:v", "libx264", "-pix_fmt", "yuv420p")
        ffmpeg("-i", source, "-an", *filters, scaled)
    if not path.exists():
        ffmpeg("-stream_loop", -1, "-i", scaled, "-t", seconds, "-c", "copy", path)
    return path


def ffmpeg(*arguments: object) -> None:
    """Run ffmpeg."""
    command = [find_ffmpeg(), "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)
