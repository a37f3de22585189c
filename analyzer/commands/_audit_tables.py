"""Tables of an audit for the terminal."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.audit.audit_file import Audit
    from analyzer.audit.report import Findings, HeadFindings


def drawn(audit: "Audit") -> Any:
    """Return how many faces were drawn of each group, and how many they stand for."""
    from rich import table

    counts: dict[tuple[str, str], int] = defaultdict(int)
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for face in audit.faces:
        for variable, group in face.groups.items():
            counts[variable, group] += 1
            sums[variable, group] += face.weight
    rows = table.Table("stratum", "group", "drawn", "stand for")
    names = list(audit.faces[0].groups) if audit.faces else []
    for variable, group in sorted(counts, key=lambda key: (names.index(key[0]), key[1])):
        rows.add_row(variable, group, str(counts[variable, group]), f"{sums[variable, group]:.0f}")
    return rows


def shown(findings: "Findings") -> Iterator[Any]:
    """Yield lines and tables with all that the labels tell."""
    yield f"labels of {', '.join(findings.raters)}; sex and age as they are perceived"
    no_face = findings.no_face
    if no_face.errors:
        yield (
            f"no face: {no_face.errors} of {no_face.faces}, {_number(no_face.weighted)} % of all "
            "by weight"
        )
    for head, of_head in findings.heads.items():
        yield f"{head}: {len(of_head.found.faces)} faces with a label that counts{_agreed(of_head)}"
        yield _errors(of_head)
        yield _confusion(of_head)
        if of_head.shares:
            yield _shares(of_head, findings.audit.clustered_by)


def _agreed(of_head: "HeadFindings") -> str:
    agreement = of_head.agreement
    if agreement is None:
        return ""
    disputed = len(of_head.labels.disputes)
    settled = sum(dispute.settled is not None for dispute in of_head.labels.disputes)
    text = f"; the raters agree on {agreement.agreed} of {agreement.faces}"
    if agreement.value is not None and agreement.low is not None and agreement.high is not None:
        text += f", kappa {agreement.value:.2f} ({agreement.low:.2f} to {agreement.high:.2f})"
    return text + (f"; {settled} of {disputed} settled" if disputed else "")


def _errors(of_head: "HeadFindings") -> Any:
    from rich import table

    rows = table.Table("group")
    for name in ("wrong", "as drawn", "weighted"):
        rows.add_column(name, no_wrap=True)
    for rate in of_head.rates:
        rows.add_row(
            f"{rate.variable}: {rate.group}" if rate.group else rate.variable,
            f"{rate.errors} of {rate.faces}",
            _around(rate.errors / rate.faces, rate.low, rate.high),
            _around(rate.weighted, rate.weighted_low, rate.weighted_high),
        )
    rows.caption = "per cent, with 95 % interval: of the drawn faces, and weighted to all faces"
    return rows


def _confusion(of_head: "HeadFindings") -> Any:
    from rich import table

    groups, counted, weighted = of_head.cells()
    rows = table.Table("labelled", *groups)
    for group, counts, sums in zip(groups, counted, weighted, strict=True):
        whole = sum(sums)
        shares = [f" {_number(value / whole)}" if whole else "" for value in sums]
        rows.add_row(group, *(f"{n}{share}" for n, share in zip(counts, shares, strict=True)))
    rows.caption = "columns: predicted; faces, and per cent of the row, weighted to all faces"
    return rows


def _shares(of_head: "HeadFindings", clusters: str) -> Any:
    from rich import table

    rows = table.Table("share", "predicted", "put right", "95 %", "labels alone", "95 %")
    for share in of_head.shares:
        rows.add_row(
            share.group,
            _number(share.predicted),
            _number(share.value),
            _interval(share.interval),
            _number(share.labelled),
            _interval(share.labelled_interval),
        )
    count = of_head.shares[0].clusters
    rows.caption = f"per cent of the time of all faces; labels of {count} {clusters}s"
    return rows


def _interval(ends: "tuple[float, float] | None") -> str:
    return "-" if ends is None else f"{_number(ends[0])} to {_number(ends[1])}"


def _around(share: float, low: float, high: float) -> str:
    return f"{_number(share)} ({_interval((low, high))})"


def _number(share: float) -> str:
    return f"{100 * share:.1f}"
