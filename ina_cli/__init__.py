"""What all programs have in common: parsers, a file with settings, completion, advice.

It stands below `analyzer`, `jobs` and `ina`, imports none of them, only `ina_input`, the standard
library, and `tomli` and `shtab` where they are asked for. Its name is like no other's: it must be
found even where a file of a user hides one of the other packages.
"""
