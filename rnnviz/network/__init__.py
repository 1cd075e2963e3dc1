"""What a network is: activations, cells, initialisation schemes, inputs, settings, and what is drawn from them."""
