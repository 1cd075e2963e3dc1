"""Gaussian expectations against mpmath, scipy and closed forms."""

import math

import pytest
from expectations import ERF, by_mpmath
from reference import MP_PHI

from rnnviz.network.activations import ACTIVATIONS
from rnnviz.theory.gaussian import moments


@pytest.mark.parametrize("name", [name for name, phi in ACTIVATIONS.items() if not phi.homogeneous])
def test_expectations_have_eleven_digits(name):
    f, slope = MP_PHI[name]
    for q in (1e-12, 1e-3, 0.3, 1.0, 7.0, 300.0, 1e4, 1e6):
        exact = [by_mpmath(lambda a: f(a) ** 2, q), by_mpmath(lambda a: slope(a) ** 2, q)]
        assert moments(ACTIVATIONS[name], q) == pytest.approx(exact, rel=1e-11), q


def test_expectations_of_erf_match_the_closed_form():
    """E erf(sqrt(q) z)^2 = 2/pi asin(2q / (1 + 2q)) (Williams 1997); E erf'^2 = 4/pi / sqrt(1 + 4q)."""
    for q in (1e-6, 0.5, 3.0, 1e3, 1e6, 1e12, 1e100):
        # asin(x) loses digits near x = 1; there use atan2.
        angle = math.atan2(2 * q, math.sqrt(1 + 4 * q)) if q > 1 else math.asin(2 * q / (1 + 2 * q))
        exact = (2 / math.pi * angle, 4 / math.pi / math.sqrt(1 + 4 * q))
        assert moments(ERF, q) == pytest.approx(exact, rel=1e-12), q
