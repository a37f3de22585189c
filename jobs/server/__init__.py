"""The server: leases, quarantine, progress, local workers, the display.

In: a ledger and remote calls. Out: answers, and lines for a terminal.
Used by `ina.server` and the dashboard.
"""
