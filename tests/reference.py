"""The same networks, written out plainly and independently of the package, for tests to compare with."""

from __future__ import annotations

import autograd.numpy as anp
import mpmath as mp
import numpy as np
from autograd.scipy.special import erf
from scipy import special

import rnnviz as rv

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def elu(a, xp):
    return xp.where(a > 0, a, xp.exp(xp.where(a > 0, 0.0, a)) - 1)


ACTIVATIONS = {
    "tanh": lambda a, xp: xp.tanh(a),
    "sigmoid": lambda a, xp: 1 / (1 + xp.exp(-a)),
    "relu": lambda a, xp: xp.where(a > 0, a, 0.0),
    "linear": lambda a, xp: a,
    "leaky_relu": lambda a, xp: xp.where(a > 0, a, 0.01 * a),
    "elu": elu,
    "selu": lambda a, xp: SELU_SCALE * xp.where(a > 0, a, SELU_ALPHA * elu(a, xp)),
    "gelu": lambda a, xp: a * (1 + (erf if xp is anp else special.erf)(a / 2**0.5)) / 2,
    "softsign": lambda a, xp: a / (1 + xp.abs(a)),
    "hard_tanh": lambda a, xp: xp.where(xp.abs(a) < 1, a, xp.sign(a)),
}


def rnn(p, x, h, c, phi, xp):
    return phi(x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"]), c


def lstm(p, x, h, c, phi, xp):
    a = x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"]
    n = h.shape[-1]
    i, f, g, o = (a[..., k * n : (k + 1) * n] for k in range(4))
    i, f, o = (1 / (1 + xp.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * phi(g)
    return o * phi(c), c


def gru(p, x, h, c, phi, xp):
    n = h.shape[-1]
    a, b = x @ p["W_xh"] + p["b_h"], h @ p["W_hh"]
    r = 1 / (1 + xp.exp(-a[..., :n] - b[..., :n]))
    z = 1 / (1 + xp.exp(-a[..., n : 2 * n] - b[..., n : 2 * n]))
    new = phi(a[..., 2 * n :] + r * (b[..., 2 * n :] + p["b_hn"]))
    return (1 - z) * new + z * h, c


CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def loss(params, x, targets, cell, activation, loss_at, xp=np, bumps=None):
    """Return the loss; ``bumps`` (h, c), each (T+1, B, H), are added to the states of each step."""
    steps, batch, _ = x.shape
    size = params["W_hh"].shape[0]
    bump_h, bump_c = (np.zeros((steps + 1, batch, size)),) * 2 if bumps is None else bumps

    def phi(a):
        return ACTIVATIONS[activation](a, xp)

    h, c, total = bump_h[0], bump_c[0], 0.0
    for t in range(steps):
        h, c = CELLS[cell](params, x[t], h, c, phi, xp)
        # What is added to c_t must show in h_t too, as h_t is made from c_t.
        if cell == "lstm":
            c_bumped = c + bump_c[t + 1]
            h = h / phi(c) * phi(c_bumped) if bumps is not None else h
            c = c_bumped
        h = h + bump_h[t + 1]
        if loss_at == "every" or t == steps - 1:
            y = h @ params["W_hy"] + params["b_y"]
            logs = y - xp.log(xp.sum(xp.exp(y), axis=-1, keepdims=True))
            total = total - xp.sum(logs * np.eye(y.shape[-1])[targets[t]]) / batch
    return total


def layered_loss(params, bumps, x, targets, cell, activation, loss_at, xp=np):
    """Return the loss of stacked layers, step by step; ``bumps`` (L, T+1, B, H) are added to the layers' h_t."""
    steps, batch, _ = x.shape
    layers = len(bumps)
    h, c, total = list(bumps[:, 0]), [np.zeros(bumps.shape[2:])] * layers, 0.0
    own = [of_layer(params, layer) for layer in range(1, layers + 1)]
    for t in range(steps):
        read = x[t]
        for k in range(layers):
            h[k], c[k] = CELLS[cell](own[k], read, h[k], c[k], lambda a: ACTIVATIONS[activation](a, xp), xp)
            read = h[k] = h[k] + bumps[k, t + 1]
        if loss_at == "every" or t == steps - 1:
            y = read @ params["W_hy"] + params["b_y"]
            logs = y - xp.log(xp.sum(xp.exp(y), axis=-1, keepdims=True))
            total = total - xp.sum(logs * np.eye(y.shape[-1])[targets[t]]) / batch
    return total


def of_layer(params, layer):
    """Return a layer's parameters under the names of a single one."""
    names = ("W_xh", "W_hh", "b_h", "b_hn")
    suffix = "" if layer == 1 else f"_{layer}"
    return {name: params[name + suffix] for name in names if name + suffix in params}


def network(cell, seed=0, steps=6, batch=3, inputs=4, hidden=5, classes=3, scale=1.0):
    """Return a small random network and its batch: params, x, targets, with no zeros."""
    rng = np.random.default_rng(seed)
    shapes = rv.cells.CELLS[cell].shapes(inputs, hidden) | {"W_hy": (hidden, classes), "b_y": (classes,)}
    params = {name: scale * rng.normal(size=shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}
    return params, rng.normal(size=(steps, batch, inputs)), rng.integers(classes, size=(steps, batch))


# ---- the same in mpmath, for one sequence, at any magnitude


def mp_density(a):
    return mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi)


def mp_normal(a):
    """Return P(z <= a), by its asymptotic series where mpmath's own does not reach."""
    if abs(a) < 1e4:
        return mp.erfc(-a / mp.sqrt(2)) / 2
    tail = mp_density(a) / abs(a) * (1 - a**-2 + 3 * a**-4 - 15 * a**-6)
    return tail if a < 0 else 1 - tail


MP_PHI = {
    "tanh": (mp.tanh, lambda a: 4 * mp.exp(-2 * abs(a)) / (1 + mp.exp(-2 * abs(a))) ** 2),
    "sigmoid": (lambda a: 1 / (1 + mp.exp(-a)), lambda a: mp.exp(-abs(a)) / (1 + mp.exp(-abs(a))) ** 2),
    "relu": (lambda a: max(a, mp.mpf(0)), lambda a: mp.mpf(a > 0)),
    "linear": (lambda a: a, lambda a: mp.mpf(1)),
    "leaky_relu": (lambda a: a if a > 0 else mp.mpf(0.01) * a, lambda a: mp.mpf(1 if a > 0 else 0.01)),
    "elu": (lambda a: a if a > 0 else mp.expm1(a), lambda a: mp.exp(min(a, 0))),
    "selu": (
        lambda a: SELU_SCALE * a if a > 0 else SELU_SCALE * SELU_ALPHA * mp.expm1(a),
        lambda a: mp.mpf(SELU_SCALE) if a > 0 else SELU_SCALE * SELU_ALPHA * mp.exp(a),
    ),
    "gelu": (lambda a: a * mp_normal(a), lambda a: mp_normal(a) + a * mp_density(a)),
    "softsign": (lambda a: a / (1 + abs(a)), lambda a: 1 / (1 + abs(a)) ** 2),
    "hard_tanh": (lambda a: min(max(a, mp.mpf(-1)), mp.mpf(1)), lambda a: mp.mpf(abs(a) < 1)),
}


def mp_rows(matrix):
    return [[mp.mpf(v) for v in row] for row in matrix.tolist()]


def times(row, matrix):
    return [mp.fdot(row, column) for column in zip(*matrix, strict=True)]


def back_times(row, matrix):
    return [mp.fdot(row, line) for line in matrix]


def exact_log10_grad_norms(params, x, targets, cell, activation, loss_at="last", digits=32):
    """Return log10 ||dL/dh_t|| for t = 0..T of one sequence (B = 1), computed with ``digits`` digits throughout."""
    with mp.workdps(digits):
        p = {
            name: [[mp.mpf(v) for v in row] for row in np.atleast_2d(value).tolist()] for name, value in params.items()
        }
        rows = [[mp.mpf(v) for v in row] for row in x[:, 0].tolist()]
        states, tapes = MP_FORWARD[cell](p, rows, *MP_PHI[activation])
        d_h, d_c = ([mp.mpf(0)] * len(states[0]) for _ in range(2))
        norms = []
        for t in range(len(rows), 0, -1):
            if loss_at == "every" or t == len(rows):
                d_h = [a + b for a, b in zip(d_h, output_gradient(p, states[t], targets[t - 1, 0]), strict=True)]
            norms.append(mp.sqrt(mp.fdot(d_h, d_h)))
            d_h, d_c = MP_BACKWARD[cell](p, tapes[t - 1], d_h, d_c)
        norms.append(mp.sqrt(mp.fdot(d_h, d_h)))
        return np.array([float(mp.log10(norm)) if norm else -np.inf for norm in norms[::-1]])


def output_gradient(p, h, target):
    powers = [mp.exp(y + b) for y, b in zip(times(h, p["W_hy"]), p["b_y"][0], strict=True)]
    total = mp.fsum(powers)
    return back_times([v / total - (k == target) for k, v in enumerate(powers)], p["W_hy"])


def mp_sigmoid(a):
    return 1 / (1 + mp.exp(-a))


def rnn_forward(p, rows, f, slope):
    states, tapes = [[mp.mpf(0)] * len(p["W_hh"])], []
    for x in rows:
        parts = zip(times(x, p["W_xh"]), times(states[-1], p["W_hh"]), p["b_h"][0], strict=True)
        a = [sum(part) for part in parts]
        states.append([f(v) for v in a])
        tapes.append([slope(v) for v in a])
    return states, tapes


def rnn_backward(p, slopes, d_h, d_c):
    return back_times([d * s for d, s in zip(d_h, slopes, strict=True)], p["W_hh"]), d_c


def lstm_forward(p, rows, f, slope):
    n = len(p["W_hh"])
    states, c, tapes = [[mp.mpf(0)] * n], [mp.mpf(0)] * n, []
    for x in rows:
        parts = zip(times(x, p["W_xh"]), times(states[-1], p["W_hh"]), p["b_h"][0], strict=True)
        a = [sum(part) for part in parts]
        tape, h, new = [], [], []
        for k in range(n):
            a_i, a_f, a_g, a_o = (a[gate * n + k] for gate in range(4))
            i, forget, g, o = mp_sigmoid(a_i), mp_sigmoid(a_f), f(a_g), mp_sigmoid(a_o)
            new.append(forget * c[k] + i * g)
            h.append(o * f(new[k]))
            d_gates = g * i * mp_sigmoid(-a_i), c[k] * forget * mp_sigmoid(-a_f), i * slope(a_g)
            tape.append((o * slope(new[k]), forget, d_gates, f(new[k]) * o * mp_sigmoid(-a_o)))
        c = new
        states.append(h)
        tapes.append(tape)
    return states, tapes


def lstm_backward(p, tape, d_h, d_c):
    d_c = [d + e * unit[0] for d, e, unit in zip(d_c, d_h, tape, strict=True)]
    d_a = [d * unit[2][gate] for gate in range(3) for d, unit in zip(d_c, tape, strict=True)]
    d_a += [d * unit[3] for d, unit in zip(d_h, tape, strict=True)]
    return back_times(d_a, p["W_hh"]), [d * unit[1] for d, unit in zip(d_c, tape, strict=True)]


def gru_forward(p, rows, f, slope):
    n = len(p["W_hh"])
    states, tapes = [[mp.mpf(0)] * n], []
    for x in rows:
        old = states[-1]
        a = [u + b for u, b in zip(times(x, p["W_xh"]), p["b_h"][0], strict=True)]
        b, tape, h = times(old, p["W_hh"]), [], []
        for k in range(n):
            a_r, a_z, h_n = a[k] + b[k], a[n + k] + b[n + k], b[2 * n + k] + p["b_hn"][0][k]
            r, z, keep = mp_sigmoid(a_r), mp_sigmoid(a_z), mp_sigmoid(-a_z)
            a_n = a[2 * n + k] + r * h_n
            h.append(keep * f(a_n) + z * old[k])
            d_n = keep * slope(a_n)
            tape.append((z, d_n * h_n * r * mp_sigmoid(-a_r), (old[k] - f(a_n)) * z * keep, d_n * r))
        states.append(h)
        tapes.append(tape)
    return states, tapes


def gru_backward(p, tape, d_h, d_c):
    d_a = [d * unit[gate] for gate in (1, 2, 3) for d, unit in zip(d_h, tape, strict=True)]
    kept = [d * unit[0] for d, unit in zip(d_h, tape, strict=True)]
    return [a + b for a, b in zip(kept, back_times(d_a, p["W_hh"]), strict=True)], d_c


MP_FORWARD = {"rnn": rnn_forward, "lstm": lstm_forward, "gru": gru_forward}
MP_BACKWARD = {"rnn": rnn_backward, "lstm": lstm_backward, "gru": gru_backward}
