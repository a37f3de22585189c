"""Correct who is who in the files that were made of a medium."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from analyzer.attributes.labeller import Labeller
from analyzer.errors import UsageError
from analyzer.files.transaction import FileTransaction, Replaced
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.pipeline.regroup import regroup
from analyzer.reports import corrections_file, portraits, report_file
from analyzer.results import locate, reexport
from analyzer.results.locate import Found, Results
from analyzer.results.reexport import RewrittenFile
from analyzer.review import apply
from analyzer.review.ownership import Step
from analyzer.types import MediaReport, corrections
from analyzer.types.corrections import Correction, CorrectionsDocument

_REPORT = ".report.zip"
_AGAIN = "open the page that was made with it, correct there and save; or apply them by their boxes"


@dataclass(frozen=True, kw_only=True)
class CorrectionResult:
    """What was done with the results of one medium, or would be."""

    before: MediaReport
    """As it was analysed."""
    report: MediaReport
    """With all corrections."""
    steps: Sequence[Step]
    """All corrections, those of earlier calls first."""
    earlier: int
    """How many of them were made before."""
    files: Sequence[RewrittenFile]
    replaced: Sequence[Replaced]
    """Results that existed before, and have changed."""


def require_source(results: Results, document: CorrectionsDocument, *, force: bool) -> None:
    """See that corrections are of the results, unless they are to be tried by their boxes.

    Raises:
        UsageError: They are of another medium, or of an analysis with other options.
        InputError: The report cannot be read.
    """
    if force:
        return
    report_path = results.files["report"]
    summary = report_file.summary(report_path)
    name = Path(summary.info.uri).name
    if document.name != name:
        raise UsageError(
            f"the corrections are of {document.name}, and {report_path} is of {name}: give the "
            "report "
            "of that one; if it was renamed, add --force"
        )
    options = AnalysisOptions.from_dict(summary.provenance["options"])
    if document.options != options.digest():
        raise UsageError(
            f"the corrections are of an analysis of {name} with other options than {report_path}: "
            f"{_AGAIN}: add --force"
        )


Archived = Callable[[MediaReport], MediaReport]
"""Notes in a report what an identity store says of its people, for the files made of it."""


def amend(
    results: Results,
    corrections_made: Sequence[Correction] | None,
    *,
    dry_run: bool,
    archived: Archived | None = None,
) -> CorrectionResult:
    """Make corrections on top of those that were made before, or take all back.

    All files of the medium appear whole, or none is changed; the report is the last.

    Args:
        results: Results of the medium, a report among them.
        corrections_made: What is new; `None` takes everything back.
        dry_run: Only say what would be done.
        archived: Notes what an identity store says of the people.

    Raises:
        UsageError: A person or track of a new correction is missing.
        AnalyzerError: Nothing of this medium was changed.
    """
    report_path = results.files["report"]
    is_now = report_file.load(report_path)
    before = is_now.uncorrected or is_now
    earlier = is_now.corrections
    requested = () if corrections_made is None else corrections.combine(earlier, corrections_made)
    report, steps = apply.apply(before, requested, labeller=_labeller(before))
    _require_made(steps[len(earlier) :])
    if archived is not None:
        report = archived(report)
    files, replaced = rewrite(results, report, dry_run=dry_run)
    return CorrectionResult(
        before=before,
        report=report,
        steps=steps,
        earlier=min(len(earlier), len(steps)),
        files=files,
        replaced=replaced,
    )


def recluster(
    results: Results, *, threshold: float | None, clusterer: str | None, dry_run: bool
) -> CorrectionResult:
    """Group the tracks of results into persons anew, make the corrections again, and all files.

    Args:
        results: Results of the medium, a report among them.
        threshold: Distance below which two faces are one person; `None` for that of the report.
        clusterer: Spec of the clusterer; `None` for that of the report.
        dry_run: Only say what would be done.

    Raises:
        AnalyzerError: Nothing of this medium was changed.
    """
    before = report_file.load(results.files["report"])
    report = recluster_report(before, threshold=threshold, clusterer=clusterer)
    files, replaced = rewrite(results, report, dry_run=dry_run)
    return CorrectionResult(
        before=before, report=report, steps=(), earlier=0, files=files, replaced=replaced
    )


def recluster_report(
    report: MediaReport, *, threshold: float | None, clusterer: str | None
) -> MediaReport:
    """Group the tracks of a report into persons anew, and make its corrections again.

    Args:
        report: Report of a medium.
        threshold: Distance below which two faces are one person; `None` for that of the report.
        clusterer: Spec of the clusterer; `None` for that of the report.
    """
    grouped = regroup(report.uncorrected or report, threshold=threshold, clusterer=clusterer)
    corrected, _ = apply.apply(grouped, report.corrections, labeller=_labeller(grouped))
    return corrected


def rewrite(
    results: Results, report: MediaReport, *, dry_run: bool
) -> tuple[list[RewrittenFile], list[Replaced]]:
    """Make all files of a medium again from its changed report, which is the last.

    Args:
        results: Results of the medium, a report among them.
        report: Changed report.
        dry_run: Only say what would be done.

    Returns:
        Files that have changed or could not be made, and results that were replaced.
    """
    report_path = results.files["report"]
    document = apply.document_of(report)
    with FileTransaction(dry_run=dry_run) as transaction:
        files = list(reexport.rewrite_exports(results, report, transaction, dry_run=dry_run))
        if document.corrections or results.corrections.exists():
            transaction.add(results.corrections, partial(corrections_file.write, document))
        if reexport.rewrite_report(
            results, report, transaction, portraits=_portraits(report, report_path)
        ):
            files.append(RewrittenFile("report", report_path))
        replaced = [] if dry_run else transaction.finish()
    return files, [change for change in replaced if change.path != results.corrections]


def _labeller(report: MediaReport) -> Callable[[], Labeller]:
    """Return the labeller with the settings of the analysis."""
    options = AnalysisOptions.from_dict(report.provenance["options"])
    return partial(components.load_labeller, options)


def _require_made(steps: Sequence[Step]) -> None:
    for step in steps:
        if step.fault:
            raise UsageError(
                f"{step.correction}: {step.fault}: nothing was changed; take the correction out, "
                "or make it again on the page as it is now"
            )


def _portraits(report: MediaReport, report_path: Path) -> dict[int, bytes]:
    """Return the best portraits of each person: those kept, and others cut from the medium.

    Where the medium is gone, what is kept goes on.
    """
    stored, rows = report_file.portraits(report_path), portraits.of_tracks(report)
    lacking = [row for track, row in rows.items() if track not in stored]
    cut = portraits.cut(report, lacking)
    pictures = {track: stored.get(track) or cut.get(row) for track, row in rows.items()}
    return {track: picture for track, picture in pictures.items() if picture}


class Review:
    """The results of one medium, with the corrections that are to be applied.

    Args:
        path: Report, or a folder or joblist in which the medium is looked for.
        corrections: File of corrections; None to revert all.
        force: Whether corrections of another analysis are applied by their boxes.

    Raises:
        UsageError: There are no results, or several that may be meant.
        InputError: The corrections are those of another medium or analysis.
    """

    def __init__(self, path: str, corrections: Path | None, *, force: bool) -> None:
        document = corrections_file.read(corrections) if corrections else None
        if path.endswith(_REPORT) and Path(path).is_file():
            self.results = Found(results=[locate.beside(Path(path))])
        else:
            self.results = locate.find([path])
        self.medium = _medium(path, self.results, document)
        if document:
            require_source(self.medium, document, force=force)
        self._corrections = document.corrections if document else None

    def amend(self, *, dry_run: bool, archived: Archived | None = None) -> CorrectionResult:
        """Apply the corrections; see `amend`."""
        return amend(self.medium, self._corrections, dry_run=dry_run, archived=archived)


def _medium(path: str, results_found: Found, document: CorrectionsDocument | None) -> Results:
    """Return the results that are to be corrected.

    Raises:
        UsageError: There are none, or several that may be meant.
    """
    media = [results for results in results_found.results if "report" in results.files]
    if not media:
        raise UsageError(
            f"{path}: no report there: give the joblist a column dest_report, or analyze "
            "--export report, and run it"
        )
    if len(media) > 1 and document:
        uris = {
            results.name: report_file.summary(results.files["report"]).info.uri for results in media
        }
        media = [r for r in media if Path(uris[r.name]).name == document.name]
        media = [r for r in media if uris[r.name] == document.uri] or media
        if not media:
            raise UsageError(f"{path}: no report of {document.name} there: give its .report.zip")
    if len(media) > 1:
        names = ", ".join(str(results.files["report"]) for results in media[:5])
        raise UsageError(f"{path}: {len(media)} reports may be meant ({names}): give one of them")
    return media[0]
