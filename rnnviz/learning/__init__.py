"""What networks learn: problems, optimisers, training, and sweeps over many settings."""
