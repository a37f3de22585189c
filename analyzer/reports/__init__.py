"""Reports as files: report, part and corrections files, and portraits in them.

In: `MediaReport`, `Part`, `CorrectionsDocument`. Out: the same, from disk.
Used by exporters, results, reviews and collections.
"""
