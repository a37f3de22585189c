"""Evaluation of attributes and clusterings against labelled data.

In: labels (CSV) and predictions. Out: accuracies with intervals, pair counts, V-measure.
Used by the commands `evaluate` and `train`, and by benchmarks.
"""
