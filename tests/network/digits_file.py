"""Makes rnnviz/network/digits.npz of scikit-learn's scans: `python tests/network/digits_file.py` writes it again."""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[2] / "rnnviz" / "network" / "digits.npz"


def arrays() -> dict[str, np.ndarray]:
    """Return the scans (N, 8, 8), whole numbers from 0 to 16, and their labels (N,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}


if __name__ == "__main__":
    np.savez_compressed(FILE, **arrays())
