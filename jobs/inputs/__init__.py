"""What comes in: joblists, media from addresses, bounds on paths.

In: a joblist's rows, a lease. Out: checked job specs, local files.
Used by the server, the worker and standalone runs.
"""
