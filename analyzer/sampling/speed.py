"""How fast this machine analyses, measured on a stretch of a film."""

import time

from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components
from analyzer.pipeline.conclude import conclude
from analyzer.pipeline.duration import duration_s
from analyzer.pipeline.observe import observe_part


def measure(path: str, options: AnalysisOptions, *, segment_s: float) -> float:
    """Return seconds of video that one process analyses in a second.

    What is loaded once for many segments does not count; to open the film and to seek does.

    Args:
        path: Path of a film.
        options: Options of the analysis.
        segment_s: Length of the stretch, which lies in the middle of the film.

    Raises:
        AnalyzerError: The film or a component cannot be used.
    """
    length_s = duration_s(path) or segment_s
    start_s = max(0.0, (length_s - segment_s) / 2)
    stop_s = min(length_s, start_s + segment_s)
    components = load_components(options).within(start_s, stop_s)
    began = time.perf_counter()
    conclude([observe_part(path, components=components)], components=components)
    return (stop_s - start_s) / (time.perf_counter() - began)
