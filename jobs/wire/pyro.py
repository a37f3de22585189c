"""Pyro5, imported without the environment's say in its settings."""

import os

# Pyro5 reads PYRO_* variables when it is imported, and stops at one that it does not know.
_hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYRO_")}
import Pyro5.client  # noqa: E402
import Pyro5.core  # noqa: E402
import Pyro5.errors  # noqa: E402
import Pyro5.protocol  # noqa: E402
import Pyro5.serializers  # noqa: E402
import Pyro5.server  # noqa: E402
import Pyro5.socketutil  # noqa: E402

os.environ.update(_hidden)

__all__ = ["Pyro5"]
