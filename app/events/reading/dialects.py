"""The dialects by name, so that a quarantined event can be parsed again."""

from collections.abc import Mapping

from app.events.reading import native, segment
from app.events.reading.canonical import Dialect

DIALECTS: Mapping[str, Dialect] = {"segment": segment.parse_call, "native": native.parse_call}


def dialect_name(dialect: Dialect) -> str:
    return next(name for name, each in DIALECTS.items() if each is dialect)
