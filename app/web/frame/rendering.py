"""Write pages from templates, with the texts, numbers and days of a language.

Jinja, Fluent and Babel are imported by the first page: a process that serves no page never loads
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.core.catalogue import Catalogue, load_catalogue
from app.core.languages import Language
from app.web.frame.formats import Formats
from app.web.frame.static_files import static_url

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent.parent
DONE = (
    *("accepted", "dismissed", "saved", "deleted", "removed", "signed_out"),
    *("acknowledged", "assigned", "snoozed", "resolved", "rated", "finished"),
)
"""What acts did: each has a message of the frame."""


class Texts(Protocol):
    def __call__(self, message_id: str, /, **values: Any) -> str: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders templates in a language."""

    language: Language

    def render(self, template: str, catalogue_file: str | None = None, **values: object) -> str:
        """Render a template. ``catalogue_file``: the module beside whose name its texts are."""
        return (
            _environment()
            .get_template(template)
            .render(
                frame_text=texts(__file__, self.language),
                text=texts(catalogue_file or __file__, self.language),
                format=Formats(self.language),
                lang=self.language.tag,
                **values,
            )
        )


@cache
def texts(catalogue_file: str, language: Language) -> Texts:
    """Return what formats the messages of a catalogue; those without a value are formatted once."""
    catalogue: Catalogue = load_catalogue(catalogue_file, language)
    fixed = cache(catalogue.format)

    def text(message_id: str, /, **values: Any) -> str:  # noqa: ANN401
        return catalogue.format(message_id, **values) if values else fixed(message_id)

    return text


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    added: Mapping[str, Any] = {"static": static_url, "done_names": DONE}
    environment.globals.update(added)
    return environment
