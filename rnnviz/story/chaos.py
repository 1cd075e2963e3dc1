"""Whether rounding decides a trajectory, in one sentence."""

from __future__ import annotations

import numpy as np

from ..engine.sensitivity import is_chaotic
from ..engine.trace import Trace
from ..text.language import _
from ..text.number_format import listed

Array = np.ndarray
DECADES = 10.0  # of growth, below which float64's last bit changes no state by 1e-4


def sentences(trace: Trace) -> list[str]:
    """Return a sentence on the schemes with which most seeds are chaotic, [] where there are none."""
    names = [name for k, name in enumerate(trace.names) if rounding_decides(trace, k)]
    if not names:
        return []
    text = _(
        "Chaos with {schemes}: the last bit of a weight decides the later states. The curves are exact for the states "
        "as computed here; another computer may draw others."
    )
    return [text.format(schemes=listed(names) if len(names) > 1 else names[0])]


def rounding_decides(trace: Trace, scheme: int) -> bool:
    """Return whether the states of a scheme's networks depend on the last bit of the weights, in most seeds.

    A rounding error of h_s grows to h_t as dL/dh grows from t back to s. Where it may grow so far, the network of the
    median seed runs again with other last bits: a linear network, say, grows along with its errors.
    """
    steps = trace.config.seq_len
    reach = min(trace.config.truncate or steps, steps)  # as far as no gradient is cut off
    growth = growths_of_layers(trace, scheme, reach)
    seed = int(np.argsort(growth, kind="stable")[(len(growth) - 1) // 2])
    if not growth[seed] > DECADES * reach / steps:
        return False
    x, config = trace.layer_inputs(1, scheme, seed), trace.config
    return is_chaotic(trace.parameters(scheme, seed), x, config.cell, config.activation)


def growths_of_layers(trace: Trace, scheme: int, reach: int) -> Array:
    """Return how far each seed's gradient (R,) grows over the last steps in the layer where it grows most."""
    others = [trace.of_layer(layer) for layer in range(1, trace.config.layers)]
    first = trace.config.seq_len - reach
    return np.max([growths(each.log10_relative_norm[scheme][:, first:]) for each in (trace, *others)], axis=0)


def growths(norms: Array) -> Array:
    """Return how far each seed's gradient (R, T+1) grows on its way back, in decades.

    The largest one of the last quarter stands for that of the last step, which a loss near 0 may leave tiny.
    """
    norms = np.nan_to_num(norms, nan=-np.inf, posinf=np.inf)
    end = -((norms.shape[-1] + 3) // 4)
    return norms[:, :end].max(axis=-1, initial=-np.inf) - np.maximum(norms[:, end:].max(axis=-1), -1e300)
