"""Training of the weights that this package ships; needs the extra [train]."""
