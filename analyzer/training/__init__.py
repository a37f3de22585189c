"""Stage: what makes the weights that this package ships; needs the extra [train]."""
