"""Select what one call of `analyze` works on: media, titles in folders, or rows of a joblist."""

from collections.abc import Sequence
from pathlib import Path

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.options.defaults import EXPORTS, EXPORTS_OF_POSTERS, EXPORTS_OF_STILLS
from analyzer.workflows import items
from analyzer.workflows.items import Item
from joblist.model import Rows


def select_items(
    media: Sequence[str],
    *,
    titles: Sequence[str] = (),
    rows: str | None = None,
    output: str | None = None,
    exports: str | None = None,
    poster: str | None = None,
    gallery: str | None = None,
    stills: bool = False,
) -> list[Item]:
    """Return the items of one call.

    Args:
        media: Videos, folders of videos, pictures, or one joblist.
        titles: Folders of titles, or `item_id`s of the joblist.
        rows: Rows of the joblist, `A:B`.
        output: Folder for results; not with a joblist.
        exports: Names of exports, separated by commas; by default those that suit the media.
        poster: Path of the medium's poster.
        gallery: Folder of portraits.
        stills: Whether the media are pictures.

    Raises:
        UsageError: Arguments are missing, or of no use together.
        InputError: A folder holds no video, or a pattern matches no still.
    """
    joblists = [path for path in media if path.lower().endswith(".csv")]
    if joblists:
        _refuse_with_joblist(media, output=output, export=exports, poster=poster, gallery=gallery)
        return items.of_joblist(joblists[0], items=titles, rows=_rows(rows) if rows else None)
    if rows:
        raise UsageError("--rows are those of a joblist: give one, JOBLIST.csv --rows A:B")
    if not output:
        raise UsageError("give a folder for the results: -o DIR")
    if not titles:
        if not media:
            raise UsageError("nothing to analyse: give media, a joblist, or titles with --item")
        return items.of_media(
            media,
            output=Path(output),
            exports=_exports(exports, stills=stills, poster=poster is not None, gallery=gallery),
            stills=stills,
            poster=poster,
            gallery=gallery,
        )
    if media:
        raise UsageError("--item takes folders, or item_ids after a joblist: leave out the media")
    if stills or poster:
        raise UsageError(
            "--item finds trailer and posters in a title's folder: leave out --poster and "
            "--engine image"
        )
    return items.of_folders(
        titles,
        output=Path(output),
        exports=lambda poster: _exports(exports, stills=False, poster=poster, gallery=gallery),
        gallery=gallery,
    )


def _refuse_with_joblist(media: Sequence[str], **columns: str | None) -> None:
    """Refuse options that the columns of a joblist replace.

    Raises:
        UsageError: One of them is given, or a second path.
    """
    if len(media) > 1:
        raise UsageError(f"{media[0]}, {media[1]}: a joblist goes alone: one at a time")
    for name, value in columns.items():
        if value is not None:
            raise UsageError(f"the columns of a joblist say that themselves: leave out --{name}")


def _rows(text: str) -> Rows:
    try:
        return Rows.parse(text)
    except ValueError as error:
        raise UsageError(f"--rows {error}") from None


def _exports(text: str | None, *, stills: bool, poster: bool, gallery: str | None) -> list[str]:
    """Return the names of the exports that are asked for, or that suit the media."""
    if text:
        names = text.split(",")
    else:
        names = [*(EXPORTS_OF_STILLS if stills else EXPORTS)]
        names += [*(EXPORTS_OF_POSTERS if poster else ()), *(["names"] if gallery else [])]
    specs = [registry.check("export", name.strip()) for name in names]
    for spec in specs:
        if spec.options:
            raise UsageError(
                f"--export {spec.name}: write the name alone; only Python sets options"
            )
    return [spec.component for spec in specs]
