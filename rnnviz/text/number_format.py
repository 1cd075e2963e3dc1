"""Numbers as a person writes them, also beyond the range of floats."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .language import _, numeral


def number(value: float, log10: bool = False, digits: int = 2) -> str:
    """Write a number with two digits, in plain form between 0.001 and 10,000, else as a power of ten with one digit.

    With more ``digits``, a power of ten has as many. With ``log10=True``, ``value`` is the logarithm of the number and
    may have any size.

    >>> number(0.4637), number(-10.2, log10=True), number(1234.5), number(0), number(-1005.04, log10=True)
    ('0.46', '6e-11', '1200', '0', '9e-1006')
    >>> number(-5.14e115, log10=True), number(-10.2, log10=True, digits=3)
    ('10^(−5e115)', '6.31e-11')
    """
    if not log10:
        if value == 0 or not math.isfinite(value):
            return "0" if value == 0 else str(value)
        return ("−" if value < 0 else "") + number(math.log10(abs(value)), True, digits)
    if math.isnan(value):
        return _("undefined")
    if math.isinf(value):
        return "0" if value < 0 else "∞"
    if -3 <= value < 4:
        rounded = float(f"{10**value:.{digits}g}")
        return f"{rounded:.0f}" if rounded >= 1000 else plain(rounded)
    if abs(value) > 1e6:
        return f"10^({number(value)})"
    exponent = math.floor(value)
    mantissa = f"{10 ** (value - exponent):.{digits - 1 if digits > 2 else 0}f}"
    if mantissa.startswith("10"):
        mantissa, exponent = mantissa.replace("10", "1", 1), exponent + 1
    return f"{numeral(mantissa)}e{exponent}"


def factor(log10: float) -> str:
    """Write a factor with three significant digits, since many steps add up.

    >>> factor(0.0), factor(-0.2), factor(0.021), factor(1.0), factor(-7.3)
    ('1.00', '0.631', '1.05', '10.0', '5.01e-8')
    """
    if -3 <= log10 < 3:
        return numeral(f"{10**log10:#.3g}".rstrip("."))
    return number(log10, log10=True, digits=3)


def plain(value: float, form: str = "g") -> str:
    """Write a number in Python's format ``form``, with the decimal sign of the language.

    >>> plain(0.25), plain(1.0, ".2f")
    ('0.25', '1.00')
    """
    return numeral(format(value, form))


def percent(share: float) -> str:
    """Write a share of 1 in whole percent, with the spacing that the language uses.

    >>> percent(0.5)
    '50%'
    """
    return _("{number}%").format(number=f"{100 * share:.0f}")


def listed(items: Sequence[str]) -> str:
    """Join items as in a sentence.

    >>> listed(["tanh", "orthogonal weights", "gain 1.68"])
    'tanh, orthogonal weights and gain 1.68'
    """
    *before, last = items
    return _("{items} and {last}").format(items=", ".join(before), last=last) if before else last
