"""Queries over the destinations of all jobs, beside a row that is no JSON."""

from pathlib import Path

from jobs.ledger import queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from tests.support.jobs import specs


def test_a_row_that_is_no_json_does_not_end_a_query(ledger: Ledger, tmp_path: Path) -> None:
    import_jobs(ledger, specs(tmp_path, 2), options_digest="o")
    with ledger.store.transaction() as db:
        db.execute("UPDATE job SET spec = '{' WHERE id = 1")
    csv = specs(tmp_path, 2)[1].dests["csv"]
    assert ledger.store.read(lambda db: [*queries.all_destinations(db)]) == [csv]
    folders = ledger.store.read(lambda db: [*queries.unfinished_folders(db)])
    assert folders == [str(Path(csv).parent)]
