"""Layers of dlib's face ResNet and of the attribute branch that are quick and right in 8 bits.

Those of the trunk, on which both stand, are not among them: they would lose as much as all others
together. Its stem is, for it takes pixels, which have 8 bits as they are. The sums of the residual
blocks are not rounded, only what each layer is given.
"""

from dataclasses import replace

from analyzer.files.hashing import sha256
from analyzer.stages.describe._dlib_attributes import TRUNK, Attributes
from analyzer.stages.describe._dlib_dat import DlibNetwork

STEM_LIMIT = 255.0
"""Value of the brightest pixel."""
# `python tools/eight_bit_limits.py --data fairface` prints these.
NETWORK_LIMITS = (
    *(15.5, 6.81, 10.1, 5.42, 11.2, 4.91, 15.0, 4.76, 15.5, 5.27, 7.85),
    *(3.91, 7.67, 4.96, 7.85, 6.3, 13.5, 4.87, 13.0, 3.11, 12.1, 11.8),
)
"""For each layer of dlib's network behind the trunk: the value that covers its inputs."""
BRANCH_LIMITS = (
    *(15.5, 7.97, 11.0, 6.94, 13.3, 5.91, 17.3, 5.45, 17.5, 6.6, 9.07),
    *(4.43, 8.65, 6.16, 8.65, 11.2, 20.6, 8.67, 20.9, 6.88, 19.8, 15.5),
)
"""The same for each layer of the branch that ships."""
BRANCH_SHA256 = "5f2b5711a933fe13e84aadbe1162300961eed71a60ecf9b7ed5c8df471d2a873"
"""SHA-256 of the file of that branch; limits of other branches are not known."""


def network(plain: DlibNetwork) -> DlibNetwork:
    """Return the network with its stem and the layers behind its trunk in 8 bits."""
    layers = plain.convolutions
    stem = replace(layers[0], limit=STEM_LIMIT)
    behind = (replace(c, limit=x) for c, x in zip(layers[TRUNK:], NETWORK_LIMITS, strict=True))
    return replace(plain, convolutions=(stem, *layers[1:TRUNK], *behind))


def branch(plain: Attributes, digest: str) -> Attributes:
    """Return the branch with its layers in 8 bits, if it is the one that ships.

    Args:
        plain: The branch.
        digest: SHA-256 of its file.
    """
    return replace(plain, limits=BRANCH_LIMITS) if digest == BRANCH_SHA256 else plain


def digest() -> str:
    """Return the SHA-256 of all limits."""
    return sha256([repr((STEM_LIMIT, NETWORK_LIMITS, BRANCH_LIMITS)).encode()]).hexdigest()
