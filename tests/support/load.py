"""Processes for the tests of load: `python -m tests.support.load serve|work|hold ...`."""

import sys
import time
from pathlib import Path

from joblist.model import JobSpec
from jobs.inputs.joblist import read
from jobs.ledger import queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.outputs.publish import part_path
from jobs.server.roster import Demands
from jobs.server.server import JobServer
from jobs.server.service import JobService
from jobs.types import Lease, Manifest, PartFile
from jobs.worker.client import Client

INFO = {"host": "h", "pid": 1, "boot_id": "", "program": "1", "device": "cpu"}
STARTED = "SELECT MIN(t_wall) FROM event WHERE what = 'claimed'"


def serve(folder: str, jobs: str) -> None:
    """Serve jobs without outputs; print the address, then the jobs a second."""
    out = Path(folder) / "out"
    store = Store(Path(folder) / "jobs.ledger")
    ledger = Ledger(store)
    specs = (
        JobSpec(source_path=f"/m/{n}.mp4", dests={"csv": str(out / f"{n}.csv")}, line=n)
        for n in range(int(jobs))
    )
    import_jobs(ledger, specs, options_digest="o")
    service = JobService(ledger, options={}, options_digest="o", demands=Demands(program="1"))
    server = JobServer(service, host="localhost", port=0)
    server.start()
    print(server.uri, flush=True)
    while not service.finished():
        time.sleep(0.02)
    ended = time.time()
    seconds = ended - store.read(lambda db: db.execute(STARTED).fetchone()[0])
    print(int(jobs) / seconds, flush=True)
    time.sleep(2)
    server.stop()


def work(uri: str, name: str) -> None:
    """Be a worker that does nothing, as fast as it can."""
    client = Client(uri, name=name)
    client.hello(INFO)
    sys.stdin.readline()
    while not (claim := client.claim()).finished:
        for lease in claim.leases:
            client.beat(lease, {"fraction": 0.5}, timeout_s=30)
            assert client.prepare(lease, manifest(lease))
            client.published(lease)


def manifest(lease: Lease) -> Manifest:
    path = lease.dests["csv"]
    part = str(part_path(path, lease))
    file = PartFile(part=part, path=path, sha256="0" * 64, size=10)
    return Manifest(files={"csv": file}, statistics={"media_s": 1.0})


def read_list(joblist: str) -> None:
    """Import a joblist twice; print seconds, MB, and the times of claims in ms."""
    store = Store(Path(joblist).with_suffix(".ledger"))
    ledger = Ledger(store)
    for _ in range(2):
        started = time.monotonic()
        specs = read(joblist, exporters=["csv"])
        report = import_jobs(ledger, specs, options_digest="o")
        print(report.added, time.monotonic() - started)
    # Not getrusage: its peak includes the parent's, from before the program was exchanged.
    status = Path("/proc/self/status").read_text()
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
    times = []
    for n in range(1000):
        started = time.perf_counter()
        ledger.claim("w", f"r{n}", 1)
        times.append(1000 * (time.perf_counter() - started))
    print(times[0], sorted(times)[500], sorted(times)[990])
    print(store.read(queries.counts).get("leased"))


if __name__ == "__main__":
    {"serve": serve, "work": work, "read": read_list}[sys.argv[1]](*sys.argv[2:])
