"""Plug-ins from outside: installed packages, modules, files, and objects of Python programs.

In: the text or object that selects one. Out: the function that creates the component.
Used by `analyzer.registry`, and by nothing else.
"""
