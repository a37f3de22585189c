"""Who is on screen, for how long, and how they are shown."""

import os

__version__ = "0.1.0"

# OpenCV reads it once, when it is loaded: pictures above 100 megapixels are refused by their
# header, before memory is taken for them.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(100_000_000))
