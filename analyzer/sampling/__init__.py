"""Samples of an archive: segments are drawn by lot, and shares estimated from their results.

In: a catalogue; later a joblist and its results. Out: a joblist; shares with their intervals.
Used by the commands `plan` and `estimate`. Statistics are functions on arrays.
"""
