from benchmarks import _table


class _Anything(dict[str, float]):
    def __missing__(self, name: str) -> float:
        return 2.0


def test_table_is_put_between_its_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nb\n", encoding="utf-8")
    machine = {"cores": 2, "cpu": "Some CPU", "load": 0.1, "commit": "abc"}
    assert _table.put(readme, _table.markdown(_Anything(), machine))
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("a\n<!-- benchmarks -->\n| what")
    assert text.endswith("abc.\n<!-- /benchmarks -->\nb\n")
    assert "old" not in text


def test_text_without_markers_is_left_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing", encoding="utf-8")
    assert not _table.put(readme, "table")
    assert readme.read_text(encoding="utf-8") == "nothing"
