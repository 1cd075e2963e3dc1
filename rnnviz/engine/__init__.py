"""What a network does: forward pass, backpropagation through time, and the statistics of both."""
