"""The server: it leases jobs to workers, measures progress, and shows it on a terminal.

In: a ledger, and calls of workers and operators. Out: their answers, and lines for a terminal.
Used by `ina.server_run` and the dashboard; commands call a running server by `operator.Door`.
"""
