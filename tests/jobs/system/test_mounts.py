"""Mount tables, and ledgers on network disks."""

from pathlib import Path

import pytest

from jobs.errors import LedgerRefused
from jobs.system.mounts import file_system, refuse_network

MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/ar\\040chive rw shared:3 - nfs4 server:/export rw
31 30 8:2 / /mnt/ar\\040chive/local rw - xfs /dev/sdb1 rw
32 22 0:50 / /home rw - fuse.sshfs me@host: rw
33 22 0:51 / /home2 rw - btrfs /dev/sdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/x", "ext4"),
        ("/mnt/ar chive/x", "nfs4"),
        ("/mnt/ar chive/local/x", "xfs"),
        ("/home/x", "fuse.sshfs"),
        ("/home2/x", "btrfs"),
    ],
)
def test_the_nearest_mount_decides(path: str, kind: str) -> None:
    assert file_system(Path(path), table=MOUNTS) == kind


def test_a_ledger_on_a_network_disk_is_refused() -> None:
    for path in ("/home/x.ledger", "/mnt/ar chive/x.ledger"):
        with pytest.raises(LedgerRefused, match="local disk"):
            refuse_network(Path(path), table=MOUNTS)
    refuse_network(Path("/var/x.ledger"), table=MOUNTS)
