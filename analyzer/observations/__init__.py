"""Operations on the table of observations: tracks, links between them, persons, intervals.

In: `Observations`, a row per face and sampled frame. Out: tracks, persons, screen time.
Used by the pipeline, reviews, exporters and galleries; it sees no pictures.
"""
