"""What test_pages and test_documents rest on."""

import pytest

from tests.support import document_commands, document_pages

PAGE = """\
# A page

See [there](#what-it-costs), or `--fps 5`.

<!-- not run: needs a cluster -->
```sh
sbatch x
```

```csv title="jobs.csv"
source_path,dest_csv
```

- in a list

    ```console
    $ echo a \\
      b
    a b
    $ true
    ```

## What it costs

## What it costs
"""


@pytest.fixture
def page(tmp_path, monkeypatch) -> str:
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(document_pages, "ROOT", tmp_path)
    yield "page.md"
    document_pages.tokens.cache_clear()


def test_blocks_of_a_page(page):
    cluster, joblist, console = document_pages.blocks(page)
    assert (cluster.language, cluster.why_not, cluster.line) == ("sh", "needs a cluster", 6)
    assert (joblist.title, joblist.why_not) == ("jobs.csv", None)
    assert console.language == "console"
    assert list(document_commands.lines(console)) == [("echo a \\\n  b", "a b\n"), ("true", "")]


def test_links_anchors_and_code_of_a_page(page):
    assert [link.target for link in document_pages.links(page)] == ["#what-it-costs"]
    assert document_pages.anchors(page) == {"a-page", "what-it-costs", "what-it-costs-1"}
    assert list(document_pages.inline_code(page)) == [(3, "--fps 5")]


def test_simple_commands_are_found():
    text = 'A=1 ina_worker X &  # a comment\nfor f in *; do cut -d, "$f" | sort; done > out || true'
    calls = list(document_commands.calls(text))
    assert calls[0] == ["ina_worker", "X"]
    assert ["sort"] in calls
    assert ["true"] in calls


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ina_server localhost jobs.csv --fps 5", None),
        ("ina_server localhost jobs.csv --fbs 5", "there is no option --fbs: did you mean --fps?"),
        ("python -m jobs slurm status", "required"),
        ("python -m analyzer nothing", "there is no command 'nothing'"),
        ("ls -l", None),
    ],
)
def test_wrong_commands_are_told(text, fault):
    (words,) = document_commands.calls(text)
    message = document_commands.fault(words)
    assert message is None if fault is None else fault in message
