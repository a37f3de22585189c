"""File of the ledger: one server at a time, transactions that end on the disk.

Forcing a commit to the disk costs more than the work of a transaction, so transactions that
come at the same time share one commit: each is a savepoint, and the last one in the queue commits
for all. None of them is acknowledged before that.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from jobs.errors import LedgerInUse, LedgerLost, LedgerRefused, LedgerUnavailable
from jobs.ledger import queries, schema
from jobs.ledger.ledger_file import FileWatch, damaged, held_open, require_ledger
from jobs.system.mounts import refuse_network

T = TypeVar("T")
MAX_BATCH = 64
UID = re.compile("[0-9a-f]{16}")


def default_path(joblist: Path) -> Path:
    """Return the default path of the ledger of a joblist: the same one at each call."""
    from platformdirs import user_state_path

    # Of the real path, stem and all: a link of another name has the same ledger.
    real = Path(os.path.realpath(joblist))
    name = blake2b(os.fsencode(real), digest_size=6).hexdigest()
    return user_state_path("ina") / f"{real.stem}-{name}.ledger"


def socket_path(ledger: Path) -> Path:
    """Return the path of the socket by which operators reach the server of a ledger."""
    name = blake2b(os.fsencode(ledger.name), digest_size=6).hexdigest()
    return ledger.absolute().with_name(f"{name}.sock")


def files_of(ledger: Path) -> dict[str, str]:
    """Return the paths of the files that a server keeps beside its ledger, and what they are."""
    endings = ("", "-wal", "-shm", "-journal", ".lock", ".token")
    paths = [*(f"{ledger.absolute()}{ending}" for ending in endings), str(socket_path(ledger))]
    paths += [str(ledger.absolute().with_suffix(".identities"))]
    return dict.fromkeys(paths, "the ledger, or a file that belongs to it")


class _Batch:
    """Transactions that share one commit."""

    def __init__(self) -> None:
        self.size = 0
        self.error: BaseException | None = None
        self.committed = threading.Event()


class Store:
    """An open ledger file.

    Args:
        path: Path of the file, on a local disk; its folder is made.

    Raises:
        LedgerRefused: The file is on a network disk, another server has it, it is no ledger, or
            another version of this program made it.
    """

    epoch: int
    """Number of times that a server has opened the file."""
    uid: str
    """Random id of the ledger, unique among all ledgers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue_mutex = threading.Lock()
        self._waiting_count = 0
        self._mutex = threading.Lock()
        self._batch = _Batch()
        self._read_mutex = threading.Lock()
        self._is_closed = False
        self._loss = ""
        with ExitStack() as resources:
            resources.callback(os.close, _place(path))
            handle = resources.enter_context(held_open(path))
            self._db = resources.enter_context(closing(_open(path)))
            # A connection of its own sees only what is on the disk.
            self._reader = resources.enter_context(closing(schema.connect(path, readonly=True)))
            self.epoch = self.read(queries.last_epoch) + 1
            uid = self.meta("uid") or ""
            # It stands in names of files.
            self.uid = uid if UID.fullmatch(uid) else secrets.token_hex(8)
            self.set_meta(epoch=str(self.epoch), uid=self.uid)
            self._watch = FileWatch(path, handle)
            self._resources = resources.pop_all()

    def close(self) -> None:
        """Commit, close the file and free it for another server."""
        with self._mutex, self._read_mutex:
            self._commit()
            self._is_closed = True
            self._resources.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change the ledger in one transaction, which is on the disk when the block is left.

        Raises:
            LedgerUnavailable: The disk is full or broken; nothing was changed.
        """
        with self._queue_mutex:
            self._waiting_count += 1
        with self._mutex:
            with self._queue_mutex:
                self._waiting_count -= 1
            batch = self._batch
            batch.size += 1
            try:
                yield from self._savepoint()
            finally:
                if not self._waiting_count or batch.size >= MAX_BATCH:
                    self._commit()
        batch.committed.wait()
        if batch.error:
            raise LedgerUnavailable(f"{self.path}: {batch.error}") from batch.error

    def _savepoint(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside a savepoint of the batch's transaction."""
        self._require_open()
        try:
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("SAVEPOINT step")
            yield self._db
            self._db.execute("RELEASE step")
        except sqlite3.OperationalError as error:
            self._undo(error)
            raise LedgerUnavailable(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            self._undo(error)
            self._require_intact(error)
            raise
        except BaseException as error:
            self._undo(error)
            raise

    def _require_open(self) -> None:
        # The last call of a worker may come while the server ends.
        if self._is_closed:
            raise LedgerUnavailable(f"{self.path} is closed")
        if self._loss:
            raise LedgerLost(self._loss)

    def require_there(self) -> None:
        """Notice that the file was removed, replaced or damaged: SQLite itself may go on with it.

        Raises:
            LedgerLost: It was; no later call is answered.
        """
        # A disk that cannot tell just now may do so later.
        with suppress(OSError):
            self._loss = self._loss or self._watch.loss()
        if self._loss:
            raise LedgerLost(self._loss)

    def _require_intact(self, error: sqlite3.DatabaseError) -> None:
        # Subclasses are faults of a statement, not of the file.
        if type(error) is sqlite3.DatabaseError:
            self._loss = damaged(self.path, str(error))
            raise LedgerLost(self._loss) from error

    def _undo(self, error: BaseException) -> None:
        """Roll back the changes of the caller, and only those, if SQLite can."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO step")
                self._db.execute("RELEASE step")
                return
        except sqlite3.DatabaseError as another:
            error = another
        # On a full disk, SQLite itself has rolled back the whole batch.
        self._batch.error = error

    def _commit(self) -> None:
        """Commit the batch, and begin the next one."""
        batch, self._batch = self._batch, _Batch()
        try:
            if not self._is_closed and self._db.in_transaction:
                self._db.execute("ROLLBACK" if batch.error else "COMMIT")
        except sqlite3.Error as error:
            # Of any kind: what is not on the disk must not be acknowledged to the others.
            batch.error = error
            with suppress(sqlite3.DatabaseError):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        finally:
            batch.committed.set()

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of a query of `jobs.ledger.queries`.

        Raises:
            LedgerUnavailable: The disk is broken.
        """
        with self._read_mutex:
            self._require_open()
            try:
                return query(self._reader)
            except sqlite3.OperationalError as error:
                raise LedgerUnavailable(f"{self.path}: {error}") from error
            except sqlite3.DatabaseError as error:
                self._require_intact(error)
                raise

    def meta(self, name: str) -> str | None:
        """Return a stored setting, or None if it was never set, or is no text."""
        return self.read(lambda db: queries.setting(db, name))

    def set_meta(self, **values: str) -> None:
        """Store settings by name."""
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", values.items())


def _place(path: Path) -> int:
    """Make the folder of a ledger, and lock the ledger; return the descriptor of the lock.

    Raises:
        LedgerRefused: No ledger can be there.
    """
    try:
        refuse_network(path)
        if os.path.exists(f"{path}.lock"):
            handle = _lock(path)
            try:
                require_ledger(path)
            except BaseException:
                os.close(handle)
                raise
            return handle
        require_ledger(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return _lock(path)
    except OSError as error:
        raise LedgerRefused(
            f"{path}: no ledger can be kept there ({error.strerror}): give a file on a local disk, "
            "in a folder that you may write, with --ledger FILE"
        ) from error


def _lock(path: Path) -> int:
    """Lock a ledger; return the descriptor of the lock, which ends with this process.

    Raises:
        LedgerInUse: Another process has the lock.
    """
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise LedgerInUse(
            f"{path} is in use by another server: wait for it to end, or join it with a worker"
        ) from None
    return handle


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = schema.connect(path)
    except sqlite3.OperationalError as error:
        raise LedgerRefused(f"{path} cannot be opened ({error}): give another --ledger FILE") from (
            error
        )
    try:
        schema.make_durable(db)
        version_found = schema.version(db)
        if version_found is None:
            schema.create(db)
        elif version_found > schema.VERSION or not schema.upgrade(db, version_found):
            raise LedgerRefused(
                f"{path} was made by another version of this program (tables {version_found}, not "
                f"{schema.VERSION}): finish it with that one, or give another --ledger FILE"
            )
    except sqlite3.DatabaseError as error:
        db.close()
        raise LedgerRefused(f"{path} is not a ledger ({error}): give another --ledger FILE") from (
            error
        )
    except BaseException:
        db.close()
        raise
    return db
