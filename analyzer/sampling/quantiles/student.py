"""Quantiles of Student's t distribution."""

from scipy import special


def quantile(probability: float, degrees: float) -> float:
    """Return the value below which a t value lies with a probability.

    Args:
        probability: Between 0 and 1.
        degrees: Degrees of freedom.
    """
    return float(special.stdtrit(degrees, probability))
