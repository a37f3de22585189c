"""Files that others wrote: only regular ones are read, of bounded size, depth and count.

In: paths. Out: bytes, texts, JSON values, rows of tables, members of zips; or an `OSError` or
`ValueError`, which callers explain. Used by all packages; it imports none of them.
"""
