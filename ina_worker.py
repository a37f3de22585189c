"""Join a server and work: `python ina_worker.py PYRO:...`; see `ina.worker`."""

import sys

from ina.task import make_task as make_task
from ina.worker import main

if __name__ == "__main__":
    sys.exit(main())
