"""What a network does: the forward pass, backpropagation through time, and what is recorded of both."""
