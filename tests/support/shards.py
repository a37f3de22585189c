"""Media that are observed in shards."""

from pathlib import Path

from analyzer.pipeline import conclude, observe
from analyzer.pipeline.components import Components
from analyzer.reports import part_file
from analyzer.types import MediaReport
from joblist.shard import Shard


def in_shards(path: Path, count: int, models: Components, folder: Path) -> MediaReport:
    """Analyse in shards that are written and read again."""
    found = []
    for number in range(count):
        shard = Shard(number=number, count=count)
        part = observe.observe_part(str(path), components=models, shard=shard)
        part_file.save(part, folder / "part", key="k")
        found.append(part_file.load(folder / "part", key="k"))
    return conclude.conclude(found, components=models)
