"""A dashboard that is open, with jobs that were published."""

import json
from pathlib import Path
from typing import Any

from jobs.dashboard.page import Dashboard
from jobs.types import Manifest, PartFile
from jobs.wire.transport import Access
from tests.support.servers import Server


def opened(server: Server, **settings: Any) -> Dashboard:
    settings = {"host": "localhost", "port": 0, "access": Access(), "title": "t", **settings}
    return Dashboard(server.service, server.ledger, **settings)


def published(server: Server, number: int, *, page: Path, source: Path) -> None:
    """Let a job be done with a review page."""
    file = PartFile(part="p", path=str(page), sha256="0", size=1)
    with server.store.transaction() as db:
        spec = json.loads(db.execute("SELECT spec FROM job WHERE id = ?", (number,)).fetchone()[0])
        db.execute(
            "UPDATE job SET state = 'done', manifest = ?, spec = ? WHERE id = ?",
            (
                json.dumps(Manifest(files={"html": file}).to_dict()),
                json.dumps({**spec, "source_path": str(source)}),
                number,
            ),
        )
