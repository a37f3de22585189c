"""Numbers of command lines."""

import argparse
import math

import pytest

from ina_cli.numbers import RealNumber, WholeNumber


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "1e300", "1" + "0" * 400, "", "x"])
def test_what_is_no_number_within_limits_is_refused(text: str) -> None:
    for read in (WholeNumber(), RealNumber()):
        with pytest.raises(argparse.ArgumentTypeError, match=r"give a (whole )?number from 0 to 1"):
            read(text)


def test_numbers_within_limits() -> None:
    assert WholeNumber(least=1, most=5)("5") == 5
    assert math.isclose(RealNumber(most=0.5)("5e-1"), 0.5)
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 5"):
        WholeNumber(least=1, most=5)("0")
