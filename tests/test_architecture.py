"""Who may import whom, how long things may be, how fast a command starts; read off the code."""

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parent.parent
# fmt: off
HEAVY = {
    "PIL", "av", "cv2", "dlib", "ffmpeg", "jinja2", "lxml", "matplotlib", "onnx", "onnxruntime",
    "pandas", "pyarrow", "pysubs2", "redis", "safetensors", "scipy", "skimage", "torch",
    "ultralytics", "xlsxwriter",
}
"""Slow to import: at the top of leaf files only, which the registry loads on demand."""

LAYERS = {
    "analyzer": {
        0: {"errors", "arrays", "types", "geometry", "attributes", "calibration", "labels",
            "prefetch", "quality", "statistics", "gates", "agreement", "truth", "shards", "parts",
            "canvas", "schedule", "tables", "tracks", "linking", "identity", "tally",
            "names", "naming", "archive", "plain", "presence", "text", "columns", "anonymise",
            "anchors", "corrections", "ownership"},
        1: {"options", "registry", "runtime", "backend", "weights", "cache", "ffmpeg_binary",
            "source", "joblist", "formats", "portraits", "reports", "catalogue", "networks",
            "resuming"},
        3: {"pipeline", "models", "outputs", "evaluate", "evaluate_clustering", "train",
            "identity_store", "gallery", "identify", "stills", "items", "results", "forget",
            "erase", "rewrite", "leftovers", "collect", "correct", "amend", "reexport", "detection",
            "looking", "live", "duration", "api"},
        4: {"commands", "__main__"},
    },
    "joblist": {},
    "jobs": {
        0: {"errors", "model", "retry"},
        2: {"service", "server", "client", "transport", "operator"},
        3: {"worker", "child", "process", "local_workers", "solo", "slurm"},
        4: {"commands", "display", "estimate", "dashboard", "__main__"},
    },
}
"""By the first name below the package."""
# fmt: on
DEFAULT_LAYER = {"analyzer": 2, "joblist": 0, "jobs": 1}
"""Of all other modules: stages, and what stands under the service."""

EXCEPTIONS = {
    (f"analyzer.training.{trainer}", f"analyzer.stages.describe.{describer}")
    for trainer in ("attributes", "_correct", "_identity_heads", "_network")
    for describer in ("_dlib_attributes", "_dlib_dat")
}
"""The trainer starts from the network that the describer reads, and writes the file it reads."""


@dataclass(frozen=True)
class Import:
    """One import of one module by another."""

    importer: str
    imported: str
    at_top: bool
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def scripts() -> list[Path]:
    return sorted(ROOT.glob("ina_*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def only_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(path: Path) -> Iterator[Import]:
    """Yield every import that is executed, in functions too."""
    body = tree(path).body
    skipped = {id(n) for s in body if only_for_types(s) for n in ast.walk(s)}
    for node in ast.walk(tree(path)):
        if id(node) not in skipped:
            for name in imported_names(node):
                yield Import(module_name(path), name, node in body, getattr(node, "lineno", 0))


def imported_names(node: ast.AST) -> Iterator[str]:
    """Yield full module names: ``from analyzer import types`` is ``analyzer.types``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        for alias in node.names:
            below = f"{node.module}.{alias.name}"
            file = ROOT / below.replace(".", "/")
            is_module = file.is_dir() or file.with_suffix(".py").exists()
            yield below if is_module else str(node.module)


ALL_IMPORTS = [
    i
    for path in (*python_files("analyzer", "joblist", "jobs"), *scripts())
    for i in imports_of(path)
]
OURS = [i for i in ALL_IMPORTS if i.imported.split(".")[0] in ("analyzer", "joblist", "jobs")]


def package(module: str) -> str:
    return module.split(".")[0]


def part(module: str) -> str:
    """The first name below the package; empty for the package itself."""
    return [*module.split("."), ""][1]


def rank(module: str) -> int:
    """The number of a module's layer."""
    if not part(module):
        return 0
    layers = LAYERS[package(module)]
    ranks = [number for number, names in layers.items() if part(module) in names]
    return ranks[0] if ranks else DEFAULT_LAYER[package(module)]


def is_leaf(module: str) -> bool:
    """Whether a module is a component of a stage, or a part of one."""
    return package(module) == "analyzer" and rank(module) < 3 and module.count(".") == 2


def refuse(wrong: list[Import]) -> None:
    assert not wrong, "\n" + "\n".join(map(str, wrong))


def test_analyzer_and_jobs_do_not_know_each_other():
    inside = [i for i in OURS if package(i.importer) in ("analyzer", "jobs")]
    refuse([i for i in inside if package(i.imported) not in (package(i.importer), "joblist")])


def test_joblists_are_read_with_the_standard_library_alone():
    allowed = {*sys.stdlib_module_names, "joblist"}
    theirs = [i for i in ALL_IMPORTS if package(i.importer) == "joblist"]
    refuse([i for i in theirs if package(i.imported) not in allowed])


def test_layers_import_downwards():
    inside = [i for i in OURS if package(i.importer) == package(i.imported)]
    refuse([i for i in inside if rank(i.imported) > rank(i.importer)])


def test_stages_do_not_know_each_other():
    stages = [i for i in OURS if package(i.importer) == "analyzer" and rank(i.importer) == 2]
    refuse([i for i in stages if rank(i.imported) == 2 and part(i.imported) != part(i.importer)])


def test_components_are_loaded_by_the_registry_only():
    above = [i for i in OURS if is_leaf(i.imported) and part(i.importer) != part(i.imported)]
    refuse([i for i in above if (i.importer, i.imported) not in EXCEPTIONS])


def test_jobs_knows_no_arrays():
    refuse(
        [i for i in ALL_IMPORTS if (package(i.importer), package(i.imported)) == ("jobs", "numpy")]
    )


def test_the_lowest_layer_needs_numpy_and_nothing_else():
    allowed = {*sys.stdlib_module_names, "numpy", "analyzer", "joblist", "jobs"}
    lowest = [i for i in ALL_IMPORTS if part(i.importer) and rank(i.importer) == 0]
    refuse([i for i in lowest if package(i.imported) not in allowed])


def test_slow_libraries_are_imported_at_the_top_of_leaves_only():
    heavy = [i for i in ALL_IMPORTS if package(i.imported) in HEAVY]
    good = [i for i in heavy if is_leaf(i.importer) or part(i.importer) == "train"]
    refuse([i for i in heavy if i not in good or not i.at_top])


def test_terminals_are_known_to_commands_and_displays_only():
    faces = [i for i in ALL_IMPORTS if package(i.imported) in ("rich", "argparse")]
    inside = [i for i in faces if package(i.importer) in ("analyzer", "jobs")]
    refuse([i for i in inside if part(i.importer) not in ("commands", "display", "__main__")])


def test_pyro5_stands_in_one_layer_only():
    users = [i for i in ALL_IMPORTS if package(i.imported) == "Pyro5"]
    refuse([i for i in users if package(i.importer) != "jobs" or rank(i.importer) != 2])


def stages() -> list[Path]:
    return [
        p
        for p in python_files("analyzer")
        if p.name == "__init__.py" and 0 < rank(module_name(p)) < 3
    ]


@pytest.mark.parametrize("path", stages(), ids=module_name)
def test_a_stage_holds_its_protocols_and_nothing_else(path):
    for node in tree(path).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        protocol = isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases)
        assert docstring or protocol or isinstance(node, ast.Import | ast.ImportFrom), (
            f"{module_name(path)}:{node.lineno}"
        )


EVERY_FILE = [
    *python_files("analyzer", "joblist", "jobs", "tests", "media", "benchmarks"),
    *scripts(),
]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield where each function stands and how many lines it has."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", lines


def test_files_are_at_most_400_lines():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in EVERY_FILE}
    assert {name: n for name, n in lengths.items() if n > 400} == {}


def test_functions_are_at_most_60_lines_and_mostly_under_10():
    lengths = dict(pair for path in EVERY_FILE for pair in functions(path))
    assert {name: n for name, n in lengths.items() if n > 60} == {}
    assert median(lengths.values()) < 10


COMMANDS = [
    command
    for command, file in (
        (["ina_server.py"], "ina_server.py"),
        (["ina_worker.py"], "ina_worker.py"),
        (["-m", "analyzer"], "analyzer/__main__.py"),
        (["-m", "jobs"], "jobs/__main__.py"),
    )
    if (ROOT / file).exists()
]
PROBE = """
import runpy, sys
command, sys.argv = sys.argv[1:], [sys.argv[-1], "--help"]
sys.path.insert(0, "")
try:
    run = runpy.run_module if command[0] == "-m" else runpy.run_path
    run(command[-1], run_name="__main__")
except SystemExit as end:
    print("\\nexit", end.code)
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_loads_no_slow_library(command):
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.rstrip().endswith("exit 0"), done.stderr
    assert {name for name in done.stderr.split() if name in HEAVY} == set()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_takes_under_half_a_second(command):
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, check=True, stdout=-3)
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) < 0.5
