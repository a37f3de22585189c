"""The work of older tools, done by this program: their arguments in, their files out.

In: what their command lines say. Out: the files and figures that they gave.
Used by the command `older`.
"""
