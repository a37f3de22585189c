"""Attribute heads: what their raw numbers mean, how they are calibrated, and which label they give.

In: logits of the describer's heads, (n, k). Out: labels, ages, intervals and their accuracy.
Used by stages, exporters, the pipeline, reviews and evaluations; it knows no pictures.
"""
