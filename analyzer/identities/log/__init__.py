"""The log of what people said about identities, and what follows from it."""
