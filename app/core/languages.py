"""The languages of explanations and messages, and how to parse ``Accept-Language``. Pure."""

from enum import StrEnum


class Language(StrEnum):
    EN = "en"
    ZH = "zh"


def preferred_language(header: str) -> Language:
    """Return the supported language that an ``Accept-Language`` header prefers; else English."""
    ranked = [
        (_quality(part), -position, language)
        for position, part in enumerate(header.split(","))
        if (language := _language(part))
    ]
    accepted = [each for each in ranked if each[0] > 0]
    return max(accepted)[2] if accepted else Language.EN


def _language(part: str) -> Language | None:
    """Parse ``zh-Hans-CN;q=0.8`` as zh."""
    name = part.split(";", maxsplit=1)[0].split("-", maxsplit=1)[0].strip().lower()
    return Language(name) if name in list(Language) else None


def _quality(part: str) -> float:
    _, _, quality = part.replace(" ", "").partition(";q=")
    try:
        return float(quality) if quality else 1.0
    except ValueError:
        return 0.0
