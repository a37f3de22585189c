"""Analysis of a live picture stream, frame by frame.

In: a camera or a video, and components. Out: frames with faces, for a screen.
Used by the command `webcam`.
"""
