"""The rules of the floor plan: each is a function of a tree and returns what breaks it.

A message names the file, and what to do. The tables are in `tests.support.floor_plan`.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator

from analyzer.registry import PLUGINS
from tests.support.architecture import (
    PACKAGES,
    Import,
    SourceFile,
    Tree,
    circles,
    package_of,
    room_of,
)
from tests.support.floor_plan import (
    COMMAND_LINES,
    FILE_LINES,
    FLOORS,
    FUNCTION_LINES,
    HEAVY,
    MAY_IMPORT,
    MAY_IMPORT_PACKAGES,
    NOT_INSTALLED,
    ONLY_IN,
    PRIVATE_WORDS,
    ROOT_FILES,
    TERMINAL,
    TRAINER_AND_DESCRIBER,
    WIRE,
)

PLAN = "tests/support/floor_plan.py"


def loose_files(tree: Tree) -> list[str]:
    """Return the files at a root that belong into a room."""
    wrong = []
    for package, allowed in ROOT_FILES.items():
        for path in sorted((tree.root / package).glob("*.py")):
            if path.stem not in allowed:
                room = f"a folder of {package}/" if package else "a folder of a package"
                wrong.append(f"{path.relative_to(tree.root)}: a loose file: move it into {room}")
    return wrong


def unknown_packages(tree: Tree) -> list[str]:
    """Return the packages of the tree that the plan does not know."""
    folders = {path.parent.name for path in tree.root.glob("*/*.py")}
    return [
        f"{folder}/: an unknown package: move it into one of {', '.join(PACKAGES)}, or add it to "
        f"MAY_IMPORT_PACKAGES in {PLAN} and to PACKAGES in tests/support/architecture.py"
        for folder in sorted(folders - set(PACKAGES) - NOT_INSTALLED)
        if (tree.root / folder / "__init__.py").exists()
    ]


def _room(module: str) -> tuple[str, str]:
    """Return package and room of a module; the room of a package itself is empty."""
    package, _, rest = module.partition(".")
    return package, rest.partition(".")[0]


def _floors(package: str) -> dict[str, int]:
    """Return the floor of each room, from 0."""
    return {room: n for n, names in enumerate(FLOORS[package]) for room in names.split()}


def unknown_rooms(tree: Tree) -> list[str]:
    """Return the rooms that the plan does not know."""
    rooms = {_room(file.module) for file in tree.files if _room(file.module)[0] in MAY_IMPORT}
    return [
        f"{package}/{room}: an unknown room: give it a floor in FLOORS and a row in MAY_IMPORT "
        f"of {PLAN}"
        for package, room in sorted(rooms)
        if room not in MAY_IMPORT[package] or (room and room not in _floors(package))
    ]


def vanished_rooms(tree: Tree) -> list[str]:
    """Return the rooms and files of the plan that are not in the tree."""
    rooms = {_room(file.module) for file in tree.files}
    stale = [
        f"MAY_IMPORT[{package!r}][{room!r}]: there is no such room: remove the row"
        for package, rows in MAY_IMPORT.items()
        for room in rows
        if (package, room) not in rooms
    ]
    homes = {home for names in ONLY_IN.values() for home in names} | TERMINAL
    return stale + [
        f"{PLAN}: {home}: there is no such file: remove it"
        for home in sorted(homes - tree.modules.keys())
    ]


def _between_rooms(tree: Tree) -> list[tuple[str, str, str, Import]]:
    """Return package, importing room, imported room and import, inside one package."""
    pairs = []
    for i in tree.ours:
        (package, importer), (other, imported) = _room(i.importer), _room(i.imported)
        if package == other and package in MAY_IMPORT and importer != imported:
            pairs.append((package, importer, imported or ".", i))
    return pairs


def forbidden_imports(tree: Tree) -> list[str]:
    """Return the imports between rooms that the plan does not allow."""
    return [
        f"{i}: {package}/{importer} may not import {imported}: move the code, or change "
        f"MAY_IMPORT in {PLAN} and say why"
        for package, importer, imported, i in _between_rooms(tree)
        if imported not in MAY_IMPORT[package].get(importer, "").split()
    ]


def unused_permissions(tree: Tree) -> list[str]:
    """Return the permissions of the plan that no import uses."""
    used = {
        (package, importer, imported) for package, importer, imported, _ in _between_rooms(tree)
    }
    wrong = [
        f"MAY_IMPORT[{package!r}][{room!r}]: {imported} is not imported: remove it"
        for package, rows in MAY_IMPORT.items()
        for room, allowed in rows.items()
        for imported in allowed.split()
        if (package, room, imported) not in used
    ]
    crossed = {(package_of(i.importer), package_of(i.imported)) for i in tree.ours}
    return wrong + [
        f"MAY_IMPORT_PACKAGES[{package!r}]: {imported} is not imported: remove it"
        for package, allowed in MAY_IMPORT_PACKAGES.items()
        for imported in allowed.split()
        if (package, imported) not in crossed
    ]


def upward_imports(tree: Tree) -> list[str]:
    """Return the imports of a higher floor by a lower one.

    The root of `analyzer` names what is public, and loads it when it is asked for: a package
    itself stands on no floor.
    """
    wrong = []
    for package, importer, imported, i in _between_rooms(tree):
        floors = _floors(package)
        if importer and imported != "." and floors.get(imported, 99) > floors.get(importer, -1):
            wrong.append(f"{i}: {imported} lies above {importer}: move the code down")
    return wrong


def file_circles(tree: Tree) -> list[str]:
    """Return the circles of files that import each other, for types too."""
    edges = defaultdict(set)
    lines = {}
    for i in tree.ours:
        if i.imported in tree.modules and i.imported != i.importer:
            edges[i.importer].add(i.imported)
            lines[i.importer, i.imported] = str(i)
    wrong = []
    for group in circles(edges):
        members = "; ".join(lines[a, b] for a in group for b in group if (a, b) in lines)
        wrong.append(f"a circle of files: {members}: move what both need into a third one")
    return wrong


def halves(tree: Tree) -> list[str]:
    """Return the imports between packages that the plan does not allow."""
    return [
        f"{i}: {package_of(i.importer)} may import {allowed or 'no package of ours'}: only ina "
        "may know both faces and leases"
        for i in tree.ours
        for allowed in [MAY_IMPORT_PACKAGES.get(package_of(i.importer), "")]
        if package_of(i.imported) not in (package_of(i.importer), *allowed.split())
    ]


def twice_named_classes(tree: Tree) -> list[str]:
    """Return the class names that two files define."""
    homes: dict[str, set[str]] = defaultdict(set)
    for file in tree.files:
        for node in ast.walk(file.syntax):
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(file.module)
    return [
        f"class {name} stands in {' and '.join(sorted(modules))}: rename one"
        for name, modules in sorted(homes.items())
        if len(modules) > 1
    ]


def is_plugin(module: str) -> bool:
    """Return whether a module is a plug-in, or a part of one."""
    packages = {f"analyzer.{package}" for package in PLUGINS.values()} - {"analyzer.commands"}
    return module.rpartition(".")[0] in packages


def plugins_beside_the_registry(tree: Tree) -> list[str]:
    """Return the imports of plug-ins from outside their package."""
    return [
        f"{i}: load it by analyzer.registry"
        for i in tree.ours
        if is_plugin(i.imported)
        and i.importer.rpartition(".")[0] != i.imported.rpartition(".")[0]
        and not (
            i.importer.startswith(TRAINER_AND_DESCRIBER[0])
            and i.imported.startswith(TRAINER_AND_DESCRIBER[1])
        )
    ]


def stages_that_know_each_other(tree: Tree) -> list[str]:
    """Return the imports of one stage by another."""

    def stage(module: str) -> str:
        return ".".join(module.split(".")[:3])

    inside = [i for i in tree.ours if i.importer.startswith("analyzer.stages.")]
    return [
        f"{i}: stages never import each other: move what both need down"
        for i in inside
        if i.imported.startswith("analyzer.stages.") and stage(i.imported) != stage(i.importer)
    ]


def misplaced_libraries(tree: Tree) -> list[str]:
    """Return the imports of libraries in rooms that must not know them."""
    return [f"{i}: {reason}" for i in tree.imports for reason in _faults_of_library(i)]


def _faults_of_library(i: Import) -> Iterator[str]:
    """Yield why an import stands in the wrong room."""
    library, package = package_of(i.imported), package_of(i.importer)
    room = room_of(i.importer).partition(".")[2]
    standard = {*sys.stdlib_module_names, package, "ina_input", "joblist"}
    if library in HEAVY and not (i.for_types or (is_plugin(i.importer) and i.at_top)):
        yield "a slow library: at the top of a plug-in only, which the registry loads"
    if library in ("rich", "argparse") and not (
        i.for_types or room in ("commands", "__main__") or package in ("ina", "ina_cli")
        or i.importer in TERMINAL
    ):  # fmt: skip
        yield "the terminal belongs to commands and displays: return the values, print there"
    if library == "Pyro5" and room_of(i.importer) not in WIRE:
        yield f"Pyro5 stands in {', '.join(sorted(WIRE))} only"
    if library == "numpy" and package in ("jobs", "joblist"):
        yield f"{package} knows no arrays: move it into analyzer or ina"
    if package == "joblist" and library not in standard:
        yield "joblist needs the standard library only"
    if package == "ina_input" and library not in standard - {"joblist"}:
        yield "ina_input needs the standard library only"
    if room == "types" and library not in {*standard, "numpy"}:
        yield "types need numpy and nothing else"


def full_inits(tree: Tree) -> list[str]:
    """Return the statements of an `__init__.py` that are no docstring, protocol or re-export."""
    wrong = []
    for file in tree.files:
        # The package `analyzer` loads its public names when they are asked for.
        if file.is_package and file.module != "analyzer":
            wrong += [
                f"{file.path.relative_to(tree.root)}:{node.lineno}: only a docstring, protocols "
                "and re-exports: move it into a file"
                for node in file.syntax.body
                if not _may_stand_in_init(node)
            ]
            if not ast.get_docstring(file.syntax) and file.syntax.body:
                wrong.append(f"{file.path.relative_to(tree.root)}: say what is in the package")
    return wrong


def _may_stand_in_init(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        # A re-export: the public names, or the former name of one.
        return isinstance(node.value, ast.List | ast.Name)
    if isinstance(node, ast.ClassDef):
        return "Protocol" in map(ast.unparse, node.bases)
    return isinstance(node, ast.Import | ast.ImportFrom)


def misplaced_calls(tree: Tree) -> list[str]:
    """Return the uses of functions that have one place in each half."""
    return [
        f"{file.module}:{line}: {name}: use {' or '.join(sorted(ONLY_IN[name])) or 'another way'}"
        for file in tree.files
        for line, name in _guarded_names(file)
        if file.module not in ONLY_IN[name]
    ]


def _guarded_names(file: SourceFile) -> Iterator[tuple[int, str]]:
    """Yield line and name of every use of a function of `ONLY_IN`, as `os.replace`."""
    for node in ast.walk(file.syntax):
        names = []
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [f"{node.value.id}.{node.attr}"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif _is_method_of_one_value(node):
            names = [f"Path.{node.func.attr}"]
        yield from ((node.lineno, name) for name in names if name in ONLY_IN)


def _is_method_of_one_value(node: ast.AST) -> bool:
    """Return whether a call may be one of `Path.replace`: that of a text takes two values."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and len(node.args) == 1
        and not node.keywords
    )


def long_commands(tree: Tree) -> list[str]:
    """Return what makes a command more than options, one call and printing."""
    wrong = []
    for file in tree.files:
        if room_of(file.module).partition(".")[2] == "commands":
            lines = len(file.text.splitlines())
            if lines > COMMAND_LINES:
                wrong.append(
                    f"{file.module}: {lines} lines, {COMMAND_LINES} at most: move the logic into "
                    "a room below"
                )
            wrong += [
                f"{i}: a command needs no numpy: move the arithmetic into a room below"
                for i in tree.imports_of(file)
                if package_of(i.imported) == "numpy"
            ]
            wrong += _lazy_imports(file)
    return wrong


def _lazy_imports(file: SourceFile) -> Iterator[str]:
    """Yield the functions with more than one import."""
    for node in ast.walk(file.syntax):
        if isinstance(node, ast.FunctionDef):
            count = sum(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(node))
            if count > 1:
                yield (
                    f"{file.module}:{node.lineno} {node.name}: {count} imports, one at most: "
                    "import one function that does the work"
                )


def too_long(tree: Tree) -> list[str]:
    """Return the files and functions over their caps."""
    wrong = [
        f"{file.module}: {len(file.text.splitlines())} lines, {FILE_LINES} at most: split it"
        for file in tree.files
        if len(file.text.splitlines()) > FILE_LINES
    ]
    for file, node in tree.functions():
        lines = (node.end_lineno or 0) - node.lineno + 1
        if lines > FUNCTION_LINES:
            wrong.append(
                f"{file.module}:{node.lineno} {node.name}: {lines} lines, {FUNCTION_LINES} at "
                "most: split it"
            )
    return wrong


def private_words(tree: Tree) -> list[str]:
    """Return the docstrings, comments and help texts with words that a reader stumbles over."""
    wrong = []
    for file in tree.files:
        for number, line in enumerate(file.text.splitlines(), start=1):
            # A comment of SQL is a part of the ledger's schema, which must not change.
            if (word := PRIVATE_WORDS.search(line)) and not line.startswith("-- "):
                wrong.append(f"{file.module}:{number}: {word[0]!r}: say it plainly")
    return wrong
