"""Published results, run again in minutes: each states the paper's figure, and shows its own beside it."""

from . import (  # noqa: F401
    chen_2018,
    glorot_2010,
    henaff_2016,
    jozefowicz_2015,
    le_2015,
    pascanu_2013,
    saxe_2013,
    schoenholz_2017,
)
from .entry import REPRODUCTIONS, Outcome, Reproduction, Row

__all__ = ["REPRODUCTIONS", "Outcome", "Reproduction", "Row"]
