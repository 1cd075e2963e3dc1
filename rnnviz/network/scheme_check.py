"""Whether what a scheme says about its weights is what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .schemes import Scheme

SIZE, DRAWS = 64, 4
FACTOR = 2.0  # between the mean square of an entry and what was drawn: enough for sparse weights


def check_scheme(scheme: Scheme) -> None:
    """Draw some matrices.

    Raises
    ------
    ValueError : where a function does not return weights of the shape and gain asked for, or where mean and variance
        are not those of W_hh; the message names the scheme.
    """
    for fn in (scheme.fn, *scheme.roles.values()):
        try:
            W, doubled = (np.asarray(fn(np.random.default_rng(0), 3, 5, gain)) for gain in (1.0, 2.0))
        except TypeError as error:
            raise ValueError(
                f"scheme {scheme.name!r} must be drawn by fn(rng, fan_in, fan_out, gain); it raised {error!r}"
            ) from error
        except Exception:  # what fails in itself is said on the page that uses it
            return
        if W.shape != (3, 5):
            raise ValueError(f"scheme {scheme.name!r} must return weights of the shape (3, 5); got {W.shape}")
        if not np.isfinite(W).all() or not np.allclose(doubled, 2 * W):
            raise ValueError(f"the weights of scheme {scheme.name!r} must be finite, and doubled by gain=2")
    rng = np.random.default_rng(0)
    drawn = np.mean([np.square(scheme.fn_for("recurrent")(rng, SIZE, SIZE, 1.0)) for _ in range(DRAWS)])
    said = scheme.variance(SIZE, SIZE) + scheme.mean(SIZE, SIZE) ** 2
    if not said / FACTOR <= drawn <= said * FACTOR:
        raise ValueError(
            f"variance and mean of scheme {scheme.name!r} say that E W^2 is {said:.3g} with {SIZE} x {SIZE} entries; "
            f"it is {drawn:.3g}"
        )
