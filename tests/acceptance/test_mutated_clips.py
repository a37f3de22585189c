"""5,000 damaged clips in 12 containers: each is read, or refused with its name."""

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import mutations
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
CLIPS = int(os.environ.get("INA_TEST_CLIPS", "5000"))
BATCH = 250
LIMIT_S = 600


def read_batch(folder: Path, seed: int) -> list[tuple[str, str, float, int]]:
    """Read a batch in a process of its own: name, outcome, seconds and MiB of each clip."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.mutations", folder, str(seed), str(BATCH)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    lines = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    ended = [line for line in lines if line[1] != "began"]
    if done.returncode:
        ended.append((lines[-1][0], f"ended with {done.returncode}", 0.0, 0))
    return ended


def test_every_damaged_clip_is_done_or_refused_with_its_name(tmp_path: Path) -> None:
    """Decoding alone is tried: no exception but one, no hang, no more than 1 GiB."""
    mutations.clips(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        seeds = range(-(-CLIPS // BATCH))
        results = [line for lines in pool.map(lambda s: read_batch(tmp_path, s), seeds)
                   for line in lines]  # fmt: skip
    bad = [(name, how) for name, how, *_ in results if how not in ("done", "input")]
    assert bad == []
    assert len(results) >= CLIPS
    suffixes = Counter(Path(name).suffix for name, *_ in results)
    assert len(suffixes) == 12
    assert min(suffixes.values()) > CLIPS / 24
    assert max(peak for *_, peak in results) < mutations.MAX_BYTES >> 20
    ends = Counter(how for _, how, *_ in results)
    assert ends["done"] > CLIPS / 10
    assert ends["input"] > CLIPS / 50
