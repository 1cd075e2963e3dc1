"""What is said about a run: a diagnosis in numbers, and the sentences that tell it."""
