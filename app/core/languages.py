"""The languages of texts, their dates, and how to parse ``Accept-Language``. Pure."""

from datetime import date
from enum import StrEnum


class Language(StrEnum):
    """A language of texts. How to add one: docs/languages.md."""

    EN = "en"
    ZH = "zh"

    @property
    def tag(self) -> str:
        """The language tag that decides plurals and dates: British English, simplified Chinese."""
        return TAGS[self]


TAGS = {Language.EN: "en-GB", Language.ZH: "zh-Hans"}


def format_day(day: date, language: Language) -> str:
    """Write a day with the name of its month: 1 May 2026."""
    from babel.dates import format_date

    return format_date(day, "long", locale=language.tag.replace("-", "_"))


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
