"""The analysis of one medium, from frames to a report.

In: a path and `Components`. Out: `Part` (observations of a shard), then `MediaReport`.
Used by workflows; stages are reached through the registry only.
"""
