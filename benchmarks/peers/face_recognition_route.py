"""face_recognition's own route on some frames of a video: dlib's HOG detector and its network.

Runs in the environment of the peers: PYTHON face_recognition_route.py VIDEO NUMBER,NUMBER,...
"""

import json
import sys
import time

import cv2
import face_recognition


def main(path: str, numbers: str) -> None:
    """Print seconds and faces as JSON."""
    wanted = {int(number) for number in numbers.split(",")}
    started = time.perf_counter()
    video, at, faces = cv2.VideoCapture(path), 0, 0
    while video.grab():
        if at in wanted:
            picture = cv2.cvtColor(video.retrieve()[1], cv2.COLOR_BGR2RGB)
            places = face_recognition.face_locations(picture)
            faces += len(face_recognition.face_encodings(picture, places))
        at += 1
    print(json.dumps({"seconds": time.perf_counter() - started, "faces": faces}))


main(*sys.argv[1:])
