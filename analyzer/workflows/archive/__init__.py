"""What commands read in an identity store, what they say in it, and its names in files."""
