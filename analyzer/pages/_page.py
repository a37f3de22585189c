"""Templates of this folder, filled in by Jinja."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2


def render(template: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """Return a page.

    Args:
        template: File name of the template in this folder.
        filters: Filters that the template uses, by name.
        values: Values that the template shows.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= filters
    return environment.get_template(template).render(**values)
