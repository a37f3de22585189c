"""Select what one call of `analyze` works on: media, titles in folders, or rows of a joblist."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.options.defaults import EXPORTS, EXPORTS_OF_POSTERS, EXPORTS_OF_STILLS
from analyzer.results import locate
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
    addresses: bool = False,
    overwrite: bool = False,
) -> list[Item]:
    """Return the items of one call.

    Args:
        media: Videos, folders of videos, pictures, or one joblist.
        titles: Folders of titles, or `item_id`s of the joblist.
        rows: Rows of the joblist, `A:B`.
        output: Folder for results, or the csv of stills; not with a joblist.
        exports: Names of exports, separated by commas; by default those that suit the media.
        poster: Path of the medium's poster.
        gallery: Folder of portraits.
        stills: Whether the media are pictures.
        addresses: Whether a joblist's media may be fetched from addresses.
        overwrite: Whether results of another medium may be replaced.

    Raises:
        UsageError: Arguments are missing, or of no use together; or results of another medium
            would be replaced.
        InputError: A folder holds no video, or a pattern matches no still.
    """
    joblists = [path for path in media if path.lower().endswith(".csv")]
    if joblists:
        _refuse_with_joblist(media, output=output, export=exports, poster=poster, gallery=gallery)
        wanted = _rows(rows) if rows else None
        return items.of_joblist(joblists[0], items=titles, rows=wanted, addresses=addresses)
    output = _require_arguments(titles or media, rows=rows, output=output)
    chosen = partial(_exports, exports, gallery=gallery)
    if titles:
        _refuse_with_titles(media, stills=stills, poster=poster)
        selected = items.of_folders(
            titles,
            output=Path(output),
            exports=lambda poster: chosen(stills=False, poster=poster),
            gallery=gallery,
        )
    else:
        is_table = not exports and items.is_table(Path(output), stills=stills)
        selected = items.of_media(
            media,
            output=Path(output),
            exports=["csv"] if is_table else chosen(stills=stills, poster=poster is not None),
            stills=stills,
            poster=poster,
            gallery=gallery,
        )
    if not overwrite:
        items.require_own(selected)
    return selected


def _require_arguments(given: Sequence[str], *, rows: str | None, output: str | None) -> str:
    """Require what an analysis without a joblist needs; return its output.

    Raises:
        UsageError: Something is missing, or is of a joblist.
    """
    if rows:
        raise UsageError("--rows are those of a joblist: give one, JOBLIST.csv --rows A:B")
    if not output:
        raise UsageError("give a folder for the results: -o DIR")
    if not given:
        raise UsageError("nothing to analyse: give media, a joblist, or titles with --item")
    return output


def _refuse_with_titles(media: Sequence[str], *, stills: bool, poster: str | None) -> None:
    """Refuse what is of no use with `--item`.

    Raises:
        UsageError: Something of it is given.
    """
    if media:
        raise UsageError("--item takes folders, or item_ids after a joblist: leave out the media")
    if stills or poster:
        raise UsageError(
            "--item finds trailer and posters in a title's folder: leave out --poster and "
            "--engine image"
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
    """Return the specs of the exports that are asked for, or that suit the media."""
    if text:
        names = registry.split(text)
    else:
        names = [*(EXPORTS_OF_STILLS if stills else EXPORTS)]
        names += [*(EXPORTS_OF_POSTERS if poster else ()), *(["names"] if gallery else [])]
    specs = [registry.check("export", name) for name in names]
    locate.require_different(names)
    for spec in specs:
        # A correction makes the file again, with the same options.
        if spec.options and not locate.keeps_options(str(spec)):
            raise UsageError(
                f"--export {spec.name}: write the name alone; only Python sets options"
            )
    return [str(spec) for spec in specs]
