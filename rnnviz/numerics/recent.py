"""What was used last, and no more than that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

Value = TypeVar("Value")


class Recent(OrderedDict[Hashable, Value]):
    """The values used last, at most ``most`` of them.

    >>> squares = Recent(2)
    >>> [squares.fetch(k, lambda: k * k) for k in (1, 2, 1, 3)], list(squares)
    ([1, 4, 1, 9], [1, 3])
    """

    def __init__(self, most: int):
        super().__init__()
        self.most = most

    def fetch(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made where there is none, as the one used last."""
        if key not in self:
            self[key] = make()
        self.move_to_end(key)
        while len(self) > self.most:
            self.popitem(last=False)
        return self[key]
