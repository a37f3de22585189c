"""Facts about this machine: mounted file systems, identity of a process.

In: paths and process ids. Out: file-system types, `ProcessIdentity`.
"""
