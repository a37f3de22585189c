"""The rules of the floor plan, each a function of a tree that returns what breaks it.

The tables are in `tests.support.floor_plan`.
"""

import ast
import sys
from collections import defaultdict

from analyzer.registry import PLUGINS
from tests.support.architecture import Import, SourceFile, Tree, circles, package_of, room_of
from tests.support.floor_plan import (
    COMMAND_LINES,
    FILE_LINES,
    FLOORS,
    FUNCTION_LINES,
    HEAVY,
    MAY_IMPORT,
    ONLY_IN,
    PRIVATE_WORDS,
    ROOT_FILES,
    TRAINER_AND_DESCRIBER,
)


def loose_files(tree: Tree) -> list[str]:
    """Return the files at a root that belong into a room."""
    wrong = []
    for package, allowed in ROOT_FILES.items():
        folder = tree.root / package
        pattern = "*.py" if package else "ina*.py"
        for path in sorted(folder.glob(pattern)):
            if path.stem not in allowed:
                room = f"a folder of {package}/" if package else "ina/"
                wrong.append(f"{path.relative_to(tree.root)}: a loose file: move it into {room}")
    return wrong


def _room(module: str) -> tuple[str, str]:
    """Return package and room of a module; the room of a package itself is empty."""
    package, _, rest = module.partition(".")
    return package, rest.partition(".")[0]


def unknown_rooms(tree: Tree) -> list[str]:
    """Return the rooms that the plan does not know."""
    rooms = {_room(file.module) for file in tree.files if _room(file.module)[0] in MAY_IMPORT}
    return [
        f"{package}/{room}: an unknown room: give it a floor in FLOORS and a row in MAY_IMPORT"
        for package, room in sorted(rooms)
        if room not in MAY_IMPORT[package]
        or (room and not any(room in floor.split() for floor in FLOORS[package]))
    ]


def _between_rooms(tree: Tree) -> list[tuple[str, str, str, Import]]:
    """Return package, importing room, imported room and import, inside one package."""
    pairs = []
    for i in tree.ours:
        (package, importer), (other, imported) = _room(i.importer), _room(i.imported)
        if package == other and package in MAY_IMPORT and importer != imported:
            pairs.append((package, importer, imported, i))
    return pairs


def _allowed(package: str, room: str) -> set[str]:
    return set(MAY_IMPORT[package].get(room, "").split(" ")) - (
        {""} if not _root(package, room) else set()
    )


def _root(package: str, room: str) -> bool:
    return MAY_IMPORT[package].get(room, "").startswith(" ")


def forbidden_imports(tree: Tree) -> list[str]:
    """Return the imports between rooms that the plan does not allow."""
    return [
        f"{i}: {package}/{importer} may not import {imported or package}: move the code, or "
        "change MAY_IMPORT and say why"
        for package, importer, imported, i in _between_rooms(tree)
        if imported not in _allowed(package, importer)
    ]


def unused_permissions(tree: Tree) -> list[str]:
    """Return the permissions of the plan that no import uses."""
    used = {
        (package, importer, imported) for package, importer, imported, _ in _between_rooms(tree)
    }
    return [
        f"MAY_IMPORT[{package!r}][{room!r}]: {imported or package} is not imported: remove it"
        for package, rooms in MAY_IMPORT.items()
        for room in rooms
        for imported in sorted(_allowed(package, room))
        if (package, room, imported) not in used
    ]


def upward_imports(tree: Tree) -> list[str]:
    """Return the imports of a higher floor by a lower one."""
    wrong = []
    for package, importer, imported, i in _between_rooms(tree):
        floor = {room: n for n, names in enumerate(FLOORS[package]) for room in names.split()}
        # The root of `analyzer` names what is public, and loads it when it is asked for.
        if importer and imported and floor.get(imported, 99) > floor.get(importer, -1):
            wrong.append(f"{i}: {imported} lies above {importer}: move the code down")
    return wrong


def file_circles(tree: Tree) -> list[str]:
    """Return the circles of files that import each other, for types too."""
    edges = defaultdict(set)
    for i in tree.ours:
        if i.imported in tree.modules and i.imported != i.importer:
            edges[i.importer].add(i.imported)
    return [f"a circle of files: {' -> '.join(group)}: split one" for group in circles(edges)]


def halves(tree: Tree) -> list[str]:
    """Return the imports between `analyzer` and `jobs`; `ina` alone may know both."""
    sides = {
        "analyzer": {"analyzer", "joblist"},
        "jobs": {"jobs", "joblist"},
        "joblist": {"joblist"},
    }
    return [
        f"{i}: only ina may know both"
        for i in tree.ours
        if package_of(i.imported) not in sides.get(package_of(i.importer), {package_of(i.imported)})
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


def plugin_packages() -> set[str]:
    """Return the dotted names of the packages of plug-ins."""
    return {f"analyzer.{package}" for package in PLUGINS.values()}


def is_plugin(module: str) -> bool:
    """Return whether a module is a plug-in, or a part of one."""
    return module.rpartition(".")[0] in plugin_packages() - {"analyzer.commands"}


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
        f"{i}: stages never import each other"
        for i in inside
        if i.imported.startswith("analyzer.stages.") and stage(i.imported) != stage(i.importer)
    ]


def misplaced_libraries(tree: Tree) -> list[str]:
    """Return the imports of libraries in rooms that must not know them."""
    wrong = []
    for i in tree.imports:
        library, package = package_of(i.imported), package_of(i.importer)
        room = room_of(i.importer).partition(".")[2]
        if library in HEAVY and not (i.for_types or (is_plugin(i.importer) and i.at_top)):
            wrong.append(f"{i}: a slow library: at the top of a plug-in only")
        if (
            library in ("rich", "argparse")
            and not (room in ("commands", "__main__") or package == "ina" or i.for_types)
            and i.importer not in ("jobs.server.display", "jobs.analysis")
        ):
            wrong.append(f"{i}: the terminal belongs to commands and displays")
        if library == "Pyro5" and room not in ("wire", "server", "worker"):
            wrong.append(f"{i}: Pyro5 stands in jobs/wire, jobs/server and jobs/worker only")
        if library == "numpy" and package in ("jobs", "joblist"):
            wrong.append(f"{i}: {package} knows no arrays")
        if package == "joblist" and library not in {*sys.stdlib_module_names, "joblist"}:
            wrong.append(f"{i}: joblist needs the standard library only")
        if room == "types" and library not in {
            *sys.stdlib_module_names,
            "numpy",
            package,
            "joblist",
        }:
            wrong.append(f"{i}: types need numpy and nothing else")
    return wrong


def full_inits(tree: Tree) -> list[str]:
    """Return the statements of an `__init__.py` that are no docstring, protocol or re-export."""
    wrong = []
    for file in tree.files:
        if file.is_package and file.module != "analyzer":
            wrong += [
                f"{file.module}/__init__.py:{node.lineno}: only a docstring, protocols and "
                "re-exports: move it into a file"
                for node in file.syntax.body
                if not _may_stand_in_init(node)
            ]
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
    wrong = []
    for file in tree.files:
        for node in ast.walk(file.syntax):
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if name in ONLY_IN and file.module not in ONLY_IN[name]:
                homes = " or ".join(sorted(ONLY_IN[name]))
                wrong.append(f"{file.module}:{node.lineno}: {name}: use {homes}")
            if isinstance(node, ast.ImportFrom) and node.module in ("hashlib", "tempfile"):
                names = {alias.name for alias in node.names} & {"sha256", "mkstemp"}
                wrong += [f"{file.module}:{node.lineno}: imports {name}" for name in sorted(names)]
    return wrong


def long_commands(tree: Tree) -> list[str]:
    """Return what makes a command more than options, one call and printing."""
    wrong = []
    for file in tree.files:
        if ".commands." not in file.module:
            continue
        lines = len(file.text.splitlines())
        if lines > COMMAND_LINES:
            wrong.append(f"{file.module}: {lines} lines, {COMMAND_LINES} at most: move the logic")
        wrong += [
            f"{i}: a command needs no numpy"
            for i in tree.imports_of(file)
            if package_of(i.imported) == "numpy"
        ]
        wrong += _lazy_imports(file)
    return wrong


def _lazy_imports(file: SourceFile) -> list[str]:
    wrong = []
    for node in ast.walk(file.syntax):
        if isinstance(node, ast.FunctionDef):
            count = sum(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(node))
            if count > 1:
                wrong.append(
                    f"{file.module}:{node.lineno} {node.name}: {count} imports, one at most"
                )
    return wrong


def too_long(tree: Tree) -> list[str]:
    """Return the files and functions over their caps."""
    wrong = [
        f"{file.module}: {len(file.text.splitlines())} lines, {FILE_LINES} at most"
        for file in tree.files
        if len(file.text.splitlines()) > FILE_LINES
    ]
    for file, node in tree.functions():
        lines = (node.end_lineno or 0) - node.lineno + 1
        if lines > FUNCTION_LINES:
            wrong.append(f"{file.module}:{node.lineno} {node.name}: {lines} lines")
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
