"""Make the sample from a checkout that is not installed: ``python -m analyzer sample``."""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    from analyzer.__main__ import main

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE, help="where to")
    sys.exit(main(["sample", str(parser.parse_args().folder)]))
