"""Identity of a process."""

from jobs.system.process_identity import ProcessIdentity


def test_only_processes_of_this_machine_can_be_known_dead() -> None:
    own = ProcessIdentity("here", 1, "boot")
    assert ProcessIdentity("here", 2**22 + 1, "boot").is_dead(seen_from=own)
    assert ProcessIdentity("here", 1, "earlier boot").is_dead(seen_from=own)
    assert not ProcessIdentity("here", 1, "boot").is_dead(seen_from=own)
    assert not ProcessIdentity("there", 2**22 + 1, "other").is_dead(seen_from=own)
