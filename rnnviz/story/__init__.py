"""The story of a run: a diagnosis in numbers, and the sentences made from it."""
