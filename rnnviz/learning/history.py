"""What a training remembers of its past: curves, and the weights at some steps."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
SNAPSHOT_BYTES = 64 * 2**20
MOST_SNAPSHOTS = 200


class Curve:
    """Rows of N numbers, one for each step; appending takes the same short time however many there are."""

    def __init__(self, size: int):
        self.room, self.length = np.empty((256, size)), 0

    def append(self, row: Array) -> None:
        if self.length == len(self.room):
            self.room = np.concatenate([self.room, np.empty_like(self.room)])
        self.room[self.length] = row
        self.length += 1

    def extend(self, rows: Array) -> None:
        for row in rows:
            self.append(row)

    @property
    def values(self) -> Array:
        """All rows, as a view."""
        return self.room[: self.length]


class Snapshots:
    """The weights at evenly spaced steps: whenever there are too many, every second one is dropped.

    ``most`` is their number; step 0 is always there.
    """

    def __init__(self, bytes_each: int):
        self.most = max(2, min(MOST_SNAPSHOTS, SNAPSHOT_BYTES // bytes_each))
        self.stride = 1
        self.kept: dict[int, Array] = {}

    def offer(self, step: int, weights: Array) -> None:
        """Keep a copy of the weights, if the step is one of those to keep."""
        if step % self.stride:
            return
        self.kept[step] = weights.copy()
        while len(self.kept) > self.most:
            self.stride *= 2
            self.kept = {step: kept for step, kept in self.kept.items() if step % self.stride == 0}

    def keep(self, step: int, weights: Array) -> None:
        """Keep a copy of the weights of the last step."""
        self.kept[step] = weights.copy()

    def nearest(self, step: int) -> int:
        """Return the last step up to ``step`` whose weights are kept."""
        return max((each for each in self.kept if each <= step), default=0)
