"""The dialects by name, so that an event that was put aside can be read once more."""

from collections.abc import Mapping

from app.events import native, segment
from app.events.canonical import Dialect

DIALECTS: Mapping[str, Dialect] = {"segment": segment.read, "native": native.read}


def name_of(dialect: Dialect) -> str:
    return next(name for name, each in DIALECTS.items() if each is dialect)
