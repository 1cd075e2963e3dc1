"""The papers' experiments: minutes each, so only `dev.py test --reproduce` runs them."""

import pytest

from rnnviz.reproductions import REPRODUCTIONS


@pytest.mark.reproduce
@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_paper(name):
    outcome = REPRODUCTIONS[name].run()
    print(f"\n{outcome!r}")
    assert outcome.passes, repr(outcome)
