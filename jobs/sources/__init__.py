"""Where joblists come from: one file a kind, each with `read(path, exporters=...)`."""
