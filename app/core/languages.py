"""The languages that we speak, and which of them a reader likes best. Pure."""

from enum import StrEnum


class Language(StrEnum):
    EN = "en"
    ZH = "zh"


def preferred_language(header: str) -> Language:
    """Take what an ``Accept-Language`` header likes best of what there are words for."""
    liked = [
        (_quality(part), -place, _language(part)) for place, part in enumerate(header.split(","))
    ]
    known = [(quality, place, found) for quality, place, found in liked if found and quality > 0]
    return max(known)[2] if known else Language.EN


def _language(part: str) -> Language | None:
    """Read ``zh-Hans-CN;q=0.8`` as zh."""
    name = part.split(";", maxsplit=1)[0].split("-", maxsplit=1)[0].strip().lower()
    return Language(name) if name in list(Language) else None


def _quality(part: str) -> float:
    _, _, said = part.replace(" ", "").partition(";q=")
    try:
        return float(said) if said else 1.0
    except ValueError:
        return 0.0
