"""Media of the demo, made on the spot, and the truth about them."""
