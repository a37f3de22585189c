"""Measurements on pictures and boxes: geometry, sharpness, blur gate, black bars.

In: pictures (H, W, 3) uint8 and boxes (n, 4) float32. Out: numbers per box or picture.
Used by stages, exporters and the pipeline; it uses no networks.
"""
