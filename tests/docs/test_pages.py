"""What is wrong with the documents, as far as reading them tells; test_documents runs them."""

import ast
import re
import shlex
from collections.abc import Iterator

import pytest
import yaml

from analyzer.errors import AnalyzerError, MissingPlugin
from tests.support import document_commands, document_pages, document_workplace
from tests.support.architecture import PACKAGES

PAGES = document_pages.pages()
FOREIGN = {
    "--requeue",  # sbatch
    "--user",  # docker
    "--qos",  # sbatch
}
"""Options of other people's programs."""
COMMAND = re.compile(
    r"^(\$ )?(python -m (analyzer|ina|jobs|benchmarks)|ina|ina_(server|worker)|make) ", re.M
)
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    assert document_pages.indented(page) == [], "indented code: put it between ```LANGUAGE and ```"
    for block in document_pages.blocks(page):
        assert block.language, f"{block}: which language? text, where it is none"
        if block.language not in document_pages.SHELL:
            assert not COMMAND.search(block.text), f"{block}: commands are sh or console"


@pytest.mark.parametrize("page", PAGES)
def test_commands_would_be_understood(page: str) -> None:
    for block in document_pages.blocks(page):
        if block.language in document_pages.SHELL:
            for words in document_commands.calls(document_commands.script(block)):
                assert not words[0].endswith(".py") or "/" in words[0], (
                    f"{block}: {words[0]} is not on the PATH: {words[0].removesuffix('.py')} is"
                )
                try:
                    assert not (fault := document_commands.fault(words)), f"{block}: {fault}"
                except MissingPlugin:
                    pass  # its file is a block of the page, there when the page is run
                except AnalyzerError as error:
                    pytest.fail(f"{block}: {shlex.join(words)}: {error}")
        elif block.language == "python":
            compile(block.text, str(block), "exec")


@pytest.mark.parametrize("page", PAGES)
def test_options_in_the_text_exist(page: str) -> None:
    options = document_commands.known_options() | FOREIGN
    for line, code in document_pages.inline_code(page):
        if not code.startswith(("sbatch", "docker", "pip", "ssh", "systemd-run")):
            unknown = set(OPTION.findall(code)) - options
            assert not unknown, f"{page}:{line}: `{code}`: there is no {unknown}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in document_pages.links(page):
        if "://" in link.target or link.target.startswith("mailto:"):
            continue
        path, _, anchor = link.target.partition("#")
        target = (
            (document_pages.ROOT / page).parent.joinpath(path).resolve()
            if path
            else document_pages.ROOT / page
        )
        where = f"{page}:{link.line}: {link.target}"
        name = target.relative_to(document_pages.ROOT).as_posix()
        assert target.exists(), f"{where}: there is no such file"
        if anchor:
            assert anchor in document_pages.anchors(name), f"{where}: {name} has no such heading"


def test_every_page_is_listed() -> None:
    listed = {link.target.partition("#")[0] for link in document_pages.links("docs/index.md")}
    decisions = {link.target for link in document_pages.links("docs/decisions/README.md")}
    listed |= {f"decisions/{page}" for page in decisions}
    for page in PAGES:
        if page.startswith("docs/") and page != "docs/index.md":
            assert page.removeprefix("docs/") in listed, f"docs/index.md does not list {page}"


def test_every_page_is_in_the_site() -> None:
    settings = yaml.safe_load((document_pages.ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    left, listed = [settings["nav"]], set()
    while left:
        for value in (value for entry in left.pop() for value in entry.values()):
            if isinstance(value, str):
                listed.add(f"docs/{value}")
            else:
                left.append(value)
    assert listed == {page for page in PAGES if page.startswith("docs/")}


def test_programs_are_those_that_an_installation_has() -> None:
    metadata = (document_pages.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for program in set(document_workplace.PROGRAMS) - {"python"}:
        assert re.search(rf'^{program} = "ina_cli.launch:{program}"$', metadata, re.MULTILINE)


def said_by_programs() -> str:
    """Every text in the programs; parts that are filled in are left out."""
    folders = [document_pages.ROOT / name for name in PACKAGES]
    files = [
        *document_pages.ROOT.glob("ina_*.py"),
        *(f for folder in folders for f in folder.rglob("*.py")),
    ]
    texts = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "\0" for p in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def messages(page: str) -> Iterator[tuple[int, str]]:
    """Yield the first cells of tables that begin with the heading "message"."""
    parts = document_pages.tokens(page)
    in_messages = is_first = False
    line = 0
    for token in parts:
        if token.type == "tr_open":
            is_first, line = True, token.map[0] + 1 if token.map else line
        elif token.type == "inline" and is_first:
            is_first = False
            if token.content == "message":
                in_messages = True
            elif in_messages:
                yield line, token.content.strip("`")
        elif token.type == "table_close":
            in_messages = False


def test_messages_are_those_of_the_programs() -> None:
    texts = said_by_programs()
    documented = list(messages("docs/troubleshooting.md"))
    assert len(documented) >= 40
    for line, message in documented:
        for part in filter(None, (part.strip(" ;:()") for part in message.split("..."))):
            assert part in texts, f"docs/troubleshooting.md:{line}: no program says {part!r}"
