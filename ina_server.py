"""Serve a joblist to workers: `python ina_server.py HOST JOBLIST.csv`; see `ina.server`."""

import sys

from ina.server import main

if __name__ == "__main__":
    sys.exit(main())
