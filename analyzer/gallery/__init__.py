"""Named portraits: read from a folder, matched to persons, found on posters.

In: portraits and a `MediaReport`. Out: the report with names, and the faces of its poster.
Used by workflows and reviews.
"""
