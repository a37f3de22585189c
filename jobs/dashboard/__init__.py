"""The dashboard: a page in the browser that shows the progress of a joblist; see docs/dashboard.md.

In: a running server and its ledger. Out: a page over HTTP, and retried or cancelled jobs.
Used by `ina.server_run`.
"""
