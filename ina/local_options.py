"""Analysis options that a worker may set for itself."""

OVERRIDES = ("batch_size", "device", "backend")
"""They change speed, not results."""
