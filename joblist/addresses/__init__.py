"""Media behind addresses: which are allowed, and how they are fetched.

In: an https address. Out: the bytes in a file, or the reason why not.
Used by workers and by `analyzer analyze`, which so have the same rules.
"""
