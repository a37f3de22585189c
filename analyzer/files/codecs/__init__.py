"""Plug-ins: conversions through libraries that are slow to import, or optional.

In: columns, arrays, pictures. Out: bytes, files, data frames; `safetensors` also reads them.
Used by exporters, reports, collections and the API, through the registry.
"""
