"""Stores that hold nothing but ciphertext: key files, values bound to their places, new keys."""
