"""Tables of an audit for the terminal."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.audit.audit_file import Audit
    from analyzer.audit.rates import ErrorRate
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


def shown(found: "Findings") -> Iterator[Any]:
    """Yield lines and tables with all that the labels tell."""
    yield f"labels of {', '.join(found.raters)}; sex and age as they are perceived"
    no_face = found.no_face
    if no_face.errors:
        yield (
            f"no face: {no_face.errors} of {no_face.faces}, {_percent(no_face.weighted)} of all "
            "by weight"
        )
    for head, of_head in found.heads.items():
        yield f"{head}: {len(of_head.found.faces)} faces with a label that counts{_agreed(of_head)}"
        yield _errors(of_head)
        yield _confusion(of_head)
        if of_head.shares:
            yield _shares(of_head, found.audit.clustered_by)


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

    rows = table.Table(
        *("group", "", "faces", "wrong"),
        *("as drawn", "95 %", "weighted to all faces", "95 %"),
    )
    for rate in of_head.rates:
        rows.add_row(
            rate.variable, rate.group, str(rate.faces), str(rate.errors), *_shares_of(rate)
        )
    return rows


def _shares_of(rate: "ErrorRate") -> tuple[str, str, str, str]:
    return (
        _percent(rate.errors / rate.faces),
        _interval(rate.low, rate.high),
        _percent(rate.weighted),
        _interval(rate.weighted_low, rate.weighted_high),
    )


def _confusion(of_head: "HeadFindings") -> Any:
    from rich import table

    groups, counted, weighted = of_head.cells()
    rows = table.Table("labelled", *(f"predicted {group}" for group in groups))
    for group, counts, sums in zip(groups, counted, weighted, strict=True):
        whole = sum(sums)
        shares = [_percent(value / whole) if whole else "-" for value in sums]
        cell = [f"{n}; {share}" for n, share in zip(counts, shares, strict=True)]
        rows.add_row(group, *cell)
    rows.caption = "faces; share of the row, weighted to all faces"
    return rows


def _shares(of_head: "HeadFindings", clusters: str) -> Any:
    from rich import table

    rows = table.Table(
        *("share of the time of all faces", "predicted", "put right", "95 %", "labels alone"),
    )
    for share in of_head.shares:
        rows.add_row(
            share.group,
            _percent(share.predicted),
            _percent(share.value),
            _interval(share.low, share.high),
            _interval(share.labelled_low, share.labelled_high),
        )
    rows.caption = f"prediction-powered; {of_head.shares[0].clusters} clusters, each a {clusters}"
    return rows


def _interval(low: float, high: float) -> str:
    return f"{_percent(low)} to {_percent(high)}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
