"""Values become bytes and back through libraries that are slow to import, or optional."""
