"""Operations on the table of observations: tracks, links between tracks, persons, intervals.

In: `Observations`, a row per face and sampled frame. Out: tracks, persons, screen time.
Used by the pipeline, reviews, exporters, galleries, evaluations and live views; it reads no
pictures.
"""
