"""Corrections by a reviewer, applied to reports.

In: a `MediaReport` and a `CorrectionsDocument`. Out: the corrected report.
Used by the command `correct` and by workflows.
"""
