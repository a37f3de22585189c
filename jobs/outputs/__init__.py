"""What goes out: part files, publishing by rename, the table of changed files.

In: a lease and its part files. Out: published files, the csv last.
Used by workers, the server's reaper and standalone runs.
"""
