"""Analysis of a camera or a video while it is watched, frame by frame.

In: an open medium and the components of an analysis. Out: frames with faces, for a screen.
Used by the command `webcam`.
"""
