"""Attribute heads: meaning, calibration and labels of their raw values.

In: logits of the describer's heads, (n, k). Out: labels, ages, intervals and their accuracy.
Used by stages, exporters, the pipeline, reviews and evaluations; it knows no pictures.
"""
