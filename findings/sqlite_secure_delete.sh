#!/usr/bin/env bash
# Guess: with secure_delete on, what is deleted or replaced can no longer be read in the database file: the
# documentation says that it is overwritten with zeros.
# Seen: its last place is, but copies that rows left behind when SQLite moved them between pages are not: of
# some thousand deleted values a few stay readable, with auto_vacuum too. VACUUM removes them all.
# Version: SQLite 3.46.1 and 3.54.1, as in apsw 3.46.1.0 and 3.54.1.0; journal mode DELETE, all committed.
# Source: https://sqlite.org/pragma.html#pragma_secure_delete
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=${PYTHON:-python3}
cat >"$folder/show.py" <<'P'
import random
import sys
from pathlib import Path

import apsw


def deleted_and_readable(secure_delete, auto_vacuum, path):
    """Insert and delete names by chance; return the deleted names and those still in the file."""
    chance = random.Random(1)
    base = apsw.Connection(str(path))
    base.pragma("auto_vacuum", auto_vacuum)
    base.pragma("secure_delete", secure_delete)
    base.execute("CREATE TABLE person (name TEXT PRIMARY KEY, note TEXT)")
    alive, deleted = [], []
    for _ in range(100):
        with base:
            for _ in range(100):
                if not alive or chance.random() < 0.6:
                    alive.append(f"name{chance.getrandbits(48):012x}")
                    note = "-" * chance.choice((5, 50, 300, 1500))
                    base.execute("INSERT INTO person VALUES (?, ?)", (alive[-1], note))
                else:
                    deleted.append(alive.pop(chance.randrange(len(alive))))
                    base.execute("DELETE FROM person WHERE name = ?", (deleted[-1],))
    rows = {name for (name,) in base.execute("SELECT name FROM person")}
    assert rows == set(alive) and not rows & set(deleted)
    raw = path.read_bytes()
    before = sum(name.encode() in raw for name in deleted)
    base.execute("VACUUM")
    base.close()
    raw = path.read_bytes()
    return len(deleted), before, sum(name.encode() in raw for name in deleted)


print("SQLite", apsw.sqlite_lib_version())
for number, (secure, auto) in enumerate([("OFF", "NONE"), ("ON", "NONE"), ("ON", "FULL")]):
    total, before, after = deleted_and_readable(secure, auto, Path(sys.argv[1]) / f"{number}.db")
    print(f"secure_delete {secure}, auto_vacuum {auto}: of {total} deleted names", end=" ")
    print(f"{before} are readable in the file, {after} after VACUUM")
    assert 0 < before < total and after == 0
P
for version in 3.46.1.0 3.54.1.0; do
    "$python" -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check "apsw==$version"
    mkdir "$folder/$version/bases"
    timeout 100 "$folder/$version/bin/python" "$folder/show.py" "$folder/$version/bases"
done
