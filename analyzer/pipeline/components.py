"""The components that an analysis needs, loaded once and used for many media."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from analyzer import registry
from analyzer.attributes.labeller import Labeller
from analyzer.errors import AnalyzerError
from analyzer.imaging import boxes as geometry
from analyzer.imaging import quality
from analyzer.imaging.letterbox import LetterboxDetector
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import heap
from analyzer.pipeline.detection import SECOND_BORDER, PaddedDetector, StillDetector
from analyzer.stages.align import Aligner
from analyzer.stages.cluster import Clusterer
from analyzer.stages.decode import Decoder
from analyzer.stages.describe import Describer
from analyzer.stages.detect import Detector, FrameDetector
from analyzer.stages.shots import ShotDetector
from analyzer.stages.track import Tracker
from analyzer.types import F32, U8, Chips, Observations

_EACH_A_SHOT = ("image", "videokeyframes")
"""Engines with pictures that have nothing to do with each other."""
_THREADS = 3
"""Threads that load components: describer, detector, and the one that waits for both."""
_BLANK_LEVELS = (0, 64, 128)
"""Grey levels of chips without a face."""


@dataclass(frozen=True)
class Loaded:
    """The components that take long to load."""

    detector: Detector
    still_detector: Detector
    aligner: Aligner
    describer: Describer
    clusterer: Clusterer
    labeller: Labeller


@dataclass(frozen=True)
class Components:
    """The components that the options name, loaded once and used for many media.

    Those that take long may still be loading: their first use waits for them, and raises what is
    wrong with them.
    """

    options: AnalysisOptions
    runtime: Runtime
    decoder: Decoder
    loading: "Future[Loaded]" = field(repr=False)
    objects: tuple[Any, ...] = ()
    """Objects of the calling program that the options select."""
    is_segment: bool = False
    """Whether start and stop are those of a segment: its results are the whole medium's there."""

    @property
    def detector(self) -> Detector:
        """Finds faces in the frames of a film."""
        return self.loading.result().detector

    @property
    def still_detector(self) -> Detector:
        """Finds faces in single pictures: stills, posters and portraits."""
        return self.loading.result().still_detector

    @property
    def aligner(self) -> Aligner:
        """Cuts the chips of faces out of pictures."""
        return self.loading.result().aligner

    @property
    def describer(self) -> Describer:
        """Describes chips."""
        return self.loading.result().describer

    @property
    def clusterer(self) -> Clusterer:
        """Makes persons of tracks."""
        return self.loading.result().clusterer

    @property
    def labeller(self) -> Labeller:
        """Decides on the labels of persons."""
        return self.loading.result().labeller

    def within(self, start_s: float | None, stop_s: float | None) -> "Components":
        """Return these components for a segment of a medium; nothing is loaded again.

        What is seen in all segments of a medium adds up to what is seen in the whole.

        Args:
            start_s: Second at which the segment begins; `None`: as the options say.
            stop_s: Second at which it ends; `None`: as the options say.

        Raises:
            UsageError: The engine knows no times, or the stretch ends before it begins.
        """
        given = {"start": start_s, "stop": stop_s}
        changes: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        if not changes:
            return self
        options = replace(self.options, **changes)
        decoder = load_decoder(options, self.runtime, segment=True)
        return replace(self, options=options, decoder=decoder, is_segment=True)

    def clustered_by(self, name: str, threshold: float | None) -> "Components":
        """Return these components with another clusterer; no other is loaded again.

        Args:
            name: Spec of the clusterer.
            threshold: Its `AnalysisOptions.cluster_threshold`.
        """
        clusterer = registry.load("cluster", name, runtime=self.runtime)
        loading: Future[Loaded] = Future()
        loading.set_result(replace(self.loading.result(), clusterer=clusterer))
        options = replace(self.options, clusterer=name, cluster_threshold=threshold)
        return replace(self, options=options, loading=loading)

    def tracker(self) -> Tracker:
        """Return a fresh tracker, for one medium."""
        tracker: Tracker = registry.load("track", _tracker_spec(self.options), runtime=self.runtime)
        return tracker

    def watcher(self) -> "FrameWatcher | None":
        """Return a fresh watcher of every picture, for one medium; `None` without shots."""
        if not _has_shots(self.options):
            return None
        return FrameWatcher(registry.load("shots", self.options.shots, runtime=self.runtime))

    @cached_property
    def blank_embedding(self) -> F32:
        """Mean embedding (D,) of chips without a face.

        Faces without detail are described like these, of every person: the distance from
        them tells how far a face can be recognised (Deng et al., "Harnessing unrecognizable faces
        for improving face recognition", WACV 2023).
        """
        chips = np.empty((len(_BLANK_LEVELS), *(self.aligner.size,) * 2, 3), np.uint8)
        chips[:] = np.array(_BLANK_LEVELS, np.uint8)[:, None, None, None]
        return self.describer.describe(chips).embeddings.mean(0)

    def chips(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut the chips of faces out of a picture, from boxes that the options may expand.

        The faces themselves, and what the chips state of their size and place, stay what they are.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (n, 4) float32, pixels.
            landmarks: (n, 5, 2) float32, pixels; NaN where unknown; or `None`.
        """
        if self.options.bbox_expand == 1:
            return self.aligner.align(image, boxes, landmarks)
        height, width = image.shape[:2]
        expanded = geometry.clip(geometry.scale(boxes, self.options.bbox_expand), width, height)
        return replace(
            self.aligner.align(image, expanded, landmarks),
            face_px=quality.face_px(boxes),
            inside=quality.inside(boxes, (width, height)),
        )

    def no_observations(self) -> Observations:
        """Return the table of a medium without a face, at second 0."""
        return Observations.empty(self.describer.dimensions, self.describer.head_sizes)


def load_components(options: AnalysisOptions, *, threads: int = 0) -> Components:
    """Load every component that `options` name.

    Args:
        options: Options of the analysis.
        threads: Number of threads for decoders and networks; 0 = every core.

    Raises:
        UsageError: An unknown component or option.
        MissingDependency: A library that a component needs is not installed.
        WeightsError: A model file is missing or altered.
    """
    components = begin_components(options, threads=threads)
    components.loading.result()
    return components


def begin_components(options: AnalysisOptions, *, threads: int = 0) -> Components:
    """Begin to load every component; a medium can be opened, and its decoding begun, meanwhile.

    Args:
        options: See `load_components`.
        threads: See `load_components`.

    Returns:
        Components; `loading.result()` raises what `load_components` would raise.
    """
    heap.map_large_arrays()
    runtime = Runtime(
        device=options.device,
        threads=threads,
        batch_size=options.batch_size,
        backend=options.backend,
        precision=options.precision,
    )
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="load")

    def begin(kind: str, spec: str, **context: Any) -> "Future[Any]":
        """Import a component in this thread, and create it in another."""
        try:
            return pool.submit(registry.prepared(kind, spec, runtime=runtime, **context))
        except (AnalyzerError, ImportError) as error:
            failed: Future[Any] = Future()
            failed.set_exception(error)
            return failed

    try:
        describing = begin("describe", options.describer, attributes=options.attributes)
        detecting = begin("detect", options.detector)
        # A tracker and a detector of cuts are made for each medium: a missing library is told now.
        for_each = [begin("track", _tracker_spec(options))]
        if _has_shots(options):
            # PySceneDetect waits for an ffmpeg when it is imported. OpenCV's import is not safe in
            # two threads at once: nothing imports it below, until `_finish` has waited.
            for_each.append(begin("shots", options.shots, import_later=True))
        decoder = load_decoder(options, runtime)
        loading = pool.submit(_finish, options, runtime, describing, detecting, for_each)
    finally:
        pool.shutdown(wait=False)
    objects = tuple(registry.kept(spec) for spec in options.plugins().values())
    return Components(options, runtime, decoder, loading, objects)


def _finish(
    options: AnalysisOptions,
    runtime: Runtime,
    describing: "Future[Describer]",
    detecting: "Future[Detector]",
    for_each: "Sequence[Future[Any]]",
) -> Loaded:
    """Wait for components, and load those that are needed later.

    What is wrong with several is told as if they were loaded one after the other.
    """
    begun: list[Future[Any]] = [describing, detecting, *for_each]
    wait(begun)
    describer, detector = describing.result(), detecting.result()
    loaded = Loaded(
        describer=describer,
        detector=_padded(detector, options.detect_padding),
        still_detector=_of_stills(detector, options.detect_padding),
        aligner=registry.load("align", describer.aligner, runtime=runtime),
        clusterer=registry.load("cluster", options.clusterer, runtime=runtime),
        labeller=_labeller(options, describer),
    )
    for component in for_each:
        component.result()
    return loaded


def _tracker_spec(options: AnalysisOptions) -> str:
    """Return the spec of the tracker that the options name, or leave to the number of frames."""
    if options.tracker != "auto":
        return options.tracker
    return "iou" if options.detect_period == 1 else "flow"


def _has_shots(options: AnalysisOptions) -> bool:
    """Return whether cuts are looked for."""
    return options.shots != "none" and options.engine not in _EACH_A_SHOT


def _padded(detector: Detector, padding: float) -> Detector:
    """Return a detector that is shown pictures in a border, where one is wanted and of use."""
    if padding and not isinstance(detector, FrameDetector):
        return PaddedDetector(detector, padding)
    return detector


def _of_stills(detector: Detector, padding: float) -> Detector:
    """Return a detector of single pictures; one that knows frames by number sees none."""
    if isinstance(detector, FrameDetector):
        return detector
    return StillDetector(_padded(detector, padding), _padded(detector, SECOND_BORDER))


def load_labeller(options: AnalysisOptions) -> Labeller:
    """Load what decides on the labels of a report alone; see `load_components`."""
    describer = registry.load(
        "describe", options.describer, runtime=Runtime(), attributes=options.attributes
    )
    return _labeller(options, describer)


def _labeller(options: AnalysisOptions, describer: Describer) -> Labeller:
    return Labeller(
        calibration=describer.calibration,
        min_accuracy=options.min_label_accuracy,
        min_sex_age=options.min_sex_age,
        min_sex_confidence=options.min_sex_confidence,
        aggregate=options.aggregate,
    )


def load_decoder(
    options: AnalysisOptions, runtime: Runtime | None = None, *, segment: bool = False
) -> Decoder:
    """Return the decoder of the engine, which needs no network.

    Args:
        options: Options of the analysis.
        runtime: Runtime with the number of threads.
        segment: Whether start and stop are those of a segment; see `Components.within`.
    """
    name, sampling = _decoder_spec(options)
    if segment:
        sampling["segment"] = True
    decoder: Decoder = registry.load("decode", name, runtime=runtime or Runtime(), **sampling)
    return decoder


def _decoder_spec(options: AnalysisOptions) -> tuple[str, dict[str, Any]]:
    """Return the name of the engine's decoder and the options that it takes."""
    if options.engine == "image":
        return "images", {"frame_step": options.frame_step}
    names = ("fps", "frame_step", "start", "stop")
    sampling = {name: getattr(options, name) for name in names}
    return "video", {"key_frames": options.engine == "videokeyframes", **sampling}


class FrameWatcher:
    """Looks at every picture, made small: for cuts, and for black bars."""

    def __init__(self, shots: ShotDetector) -> None:
        self.lookahead, self.lookback = shots.lookahead, shots.lookback
        self.canvas = LetterboxDetector()
        self._shots = shots

    def update(self, picture: U8, time_s: float) -> list[float]:
        """Take the next picture; see `analyzer.stages.decode.Watcher`."""
        return self._shots.update(picture, time_s)

    def take(self, picture: U8) -> None:
        """See what of a picture is lit; see `analyzer.stages.decode.Watcher`."""
        self.canvas.update(picture)
