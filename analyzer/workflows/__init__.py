"""What a user wants done with one or many media, from request to report.

In: a `Request`, components, an `Observer`. Out: a `MediaReport` and its files.
Used by commands, by `analyzer.api` and by `ina.worker`.
"""
