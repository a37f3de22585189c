"""Options of the analysis: the same names on every command line, in Python and over the wire.

In: arguments, a mapping, or JSON. Out: `AnalysisOptions`, checked, and their digest.
Used by the packages above it, by `ina` and by Python programs.
"""

from analyzer.options.analysis import (
    AGGREGATES,
    ATTRIBUTES,
    ENGINES,
    PLUGIN_OPTIONS,
    PRECISIONS,
    AnalysisOptions,
)
from analyzer.options.arguments import (
    add_arguments,
    add_models_folder,
    print_notes,
    spellings,
    use_models_folder,
)

__all__ = [
    "AGGREGATES",
    "ATTRIBUTES",
    "ENGINES",
    "PLUGIN_OPTIONS",
    "PRECISIONS",
    "AnalysisOptions",
    "add_arguments",
    "add_models_folder",
    "print_notes",
    "spellings",
    "use_models_folder",
]
