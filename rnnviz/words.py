"""Numbers as a person writes them, also where they are smaller or larger than any float."""

from __future__ import annotations

import math


def number(value: float, log10: bool = False, digits: int = 2) -> str:
    """Write a number with two digits, in plain form between 0.001 and 10,000, else as a power of ten.

    With ``log10`` the value is the number's logarithm, which may be as large as it likes.

    >>> number(0.4637), number(-10.2, log10=True), number(1234.5), number(0), number(-1005.04, log10=True)
    ('0.46', '6e-11', '1200', '0', '9e-1006')
    """
    if not log10:
        if value == 0 or not math.isfinite(value):
            return "0" if value == 0 else str(value)
        return ("−" if value < 0 else "") + number(math.log10(abs(value)), True, digits)
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "0" if value < 0 else "∞"
    if -3 <= value < 4:
        plain = float(f"{10**value:.{digits}g}")
        return f"{plain:.0f}" if plain >= 1000 else f"{plain:g}"
    exponent = math.floor(value)
    digit = round(10 ** (value - exponent))
    if digit == 10:
        digit, exponent = 1, exponent + 1
    return f"{digit}e{exponent}"
