"""What a network learns: problems, optimisers, and training that can be paused at every step."""
