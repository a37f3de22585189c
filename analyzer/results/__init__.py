"""Result files of a medium on disk: where they are, writing them, rewriting them.

In: a folder, a joblist or a report. Out: paths and whole files.
Used by workflows, reviews and erasure.
"""
