"""Plug-ins: questions in SQL to all parquet results of a folder; they need the extra [ask].

In: files of `analyzer.export.parquet`. Out: rows. Nothing is ever written to what is asked.
"""
