"""The code of a source tree, read for its structure: files, imports, classes, functions."""

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("analyzer", "ina", "ina_cli", "ina_input", "ina_web", "joblist", "jobs")


@dataclass(frozen=True)
class Import:
    """One import of one module by another."""

    importer: str
    imported: str
    line: int
    at_top: bool
    """Whether it stands in no function."""
    for_types: bool
    """Whether it stands under `if TYPE_CHECKING`."""

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@dataclass(frozen=True)
class SourceFile:
    """One Python file of a tree."""

    path: Path
    module: str
    """Dotted name; of an `__init__.py`, that of its package."""

    @property
    def is_package(self) -> bool:
        """Whether it is an `__init__.py`."""
        return self.path.name == "__init__.py"

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def syntax(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)


class Tree:
    """The source tree below a folder.

    Args:
        root: Folder with the packages and launchers.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = [self._file(path) for name in PACKAGES for path in self._below(name)]
        self.files += [self._file(path) for path in sorted(root.glob("ina_*.py"))]
        self.modules = {file.module: file for file in self.files}

    def _below(self, folder: str) -> list[Path]:
        return sorted((self.root / folder).rglob("*.py"))

    def _file(self, path: Path) -> SourceFile:
        parts = path.relative_to(self.root).with_suffix("").parts
        return SourceFile(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts))

    @cached_property
    def imports(self) -> list[Import]:
        """Every import of every file, in functions and for types too."""
        return [each for file in self.files for each in self.imports_of(file)]

    def imports_of(self, file: SourceFile) -> Iterator[Import]:
        """Yield the imports of one file; `from analyzer import types` is `analyzer.types`."""
        guarded = _inside(s for s in file.syntax.body if _is_for_types(s))
        called = _inside(n for n in ast.walk(file.syntax) if isinstance(n, ast.FunctionDef))
        for node in ast.walk(file.syntax):
            for name in self._names(node):
                line = getattr(node, "lineno", 0)
                yield Import(file.module, name, line, node not in called, node in guarded)

    def _names(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                is_module = self._is_module(below)
                yield below if is_module else str(node.module)

    def _is_module(self, name: str) -> bool:
        path = self.root.joinpath(*name.split("."))
        return path.with_suffix(".py").exists() or (path / "__init__.py").exists()

    @cached_property
    def ours(self) -> list[Import]:
        """The imports of one file of the tree by another."""
        return [i for i in self.imports if i.imported.partition(".")[0] in PACKAGES]

    def functions(self) -> Iterator[tuple[SourceFile, ast.FunctionDef]]:
        """Yield every function and method with its file."""
        for file in self.files:
            for node in ast.walk(file.syntax):
                if isinstance(node, ast.FunctionDef):
                    yield file, node


def _inside(roots: Iterable[ast.AST]) -> set[ast.AST]:
    """Return nodes and all below them."""
    return {node for root in roots for node in ast.walk(root)}


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of the comments and docstrings of a source."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        # Texts that no value takes: docstrings, also those of names.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield from enumerate(str(node.value.value).splitlines(), start=node.lineno)


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other (Tarjan 1972), sorted.

    Args:
        edges: Node -> its successors.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for successor in sorted(edges.get(node, ())):
            if successor not in index:
                visit(successor)
                low[node] = min(low[node], low[successor])
            elif successor in stack:
                low[node] = min(low[node], index[successor])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return sorted(groups)


def package_of(module: str) -> str:
    """Return the first name of a module."""
    return module.partition(".")[0]


def room_of(module: str) -> str:
    """Return the room of a module: `analyzer.export` of `analyzer.export.csv`, `ina`, `joblist`.

    A launcher, and a file at a package's root, is a room of its own.
    """
    parts: Sequence[str] = module.split(".")
    return ".".join(parts[:2]) if parts[0] in ("analyzer", "jobs") else parts[0]
