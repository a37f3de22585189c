"""Memory that pictures leave behind, in processes of their own: it is the whole process's."""

import os
import subprocess
import sys

import pytest

CODE = """
import ctypes
import sys
import numpy as np
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components

class Mallinfo(ctypes.Structure):
    names = "arena ordblks smblks hblks mapped usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
if mallinfo is None:
    sys.exit(77)
mallinfo.restype = Mallinfo
if "load" in sys.argv:
    load_components(AnalysisOptions())
array = np.ones(16 << 20, np.uint8)
del array
before = mallinfo().mapped
array = np.ones(3 << 20, np.uint8)
print(mallinfo().mapped - before >= array.nbytes)
"""


def is_mapped(*words: str, **environment: str) -> bool:
    """Whether an array of the size of a picture has memory of its own after a larger one."""
    command = [sys.executable, "-c", CODE, *words]
    others = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(command, env=others | environment, capture_output=True, text=True)
    if done.returncode == 77 or sys.platform != "linux":
        pytest.skip("a C library without mallinfo2, or not glibc's")
    assert done.returncode == 0, done.stderr
    return {"True": True, "False": False}[done.stdout.strip()]


def test_pictures_have_memory_of_their_own() -> None:
    assert not is_mapped(), "if glibc does so by itself, analyzer.pipeline.heap can go"
    assert is_mapped("load")


def test_the_users_own_size_stays() -> None:
    assert not is_mapped("load", MALLOC_MMAP_THRESHOLD_=str(8 << 20))
