"""Products of any size, and that they do not depend on the number of BLAS threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.learning.products import product, weights

SIZES = st.integers(1, 300)
CURVES = """
import hashlib
import rnnviz as rv
for cell in ("rnn", "gru"):
    config = rv.Config(cell=cell, hidden_size=101, batch_size=50, seq_len=9)
    training = rv.Training(config, "adding", "xavier", range(2))
    for _ in training.run(3):
        pass
    print(training.losses.ravel().tolist(), hashlib.md5(training.stack.weights.tobytes()).hexdigest())
"""


@settings(max_examples=25)
@given(SIZES, SIZES, SIZES, st.integers(0, 9))
def test_it_is_the_product(m, k, p, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, m, k)), rng.standard_normal((2, k, p))
    expected = np.einsum("nmk,nkp->nmp", a, b)
    out = np.full((2, p, m), np.nan).swapaxes(1, 2)  # not contiguous, as a gradient's place in its row
    product(a, b, out)
    for found in (product(a, b), out, a @ weights(b, m)):
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_one_and_two_threads_give_the_same_bits():
    """H = 101: with OpenBLAS's own threads, products of odd sizes differ in their last bits."""

    def curves(threads):
        env = os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        done = subprocess.run([sys.executable, "-c", CURVES], env=env, capture_output=True, text=True, check=True)
        return done.stdout

    assert curves("1") == curves("2") != ""
