"""The languages of texts, their dates, and how to parse ``Accept-Language``. Pure."""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import BeforeValidator

TextT = TypeVar("TextT")
CHINESE = "[\u3000-\u9fff\uff01-\uff5e“”]"
GAP = re.compile(f"(?<={CHINESE}) (?={CHINESE})")
LANGUAGE_TAG = re.compile(r"([a-z]+)([-_.@][a-z0-9-_.@]*)?", re.IGNORECASE)


class Language(StrEnum):
    """A language of texts. How to add one: docs/languages.md.

    Tags and names of locales are read too: ``zh-CN``, ``zh_Hans``, ``ZH`` and ``zh_CN.UTF-8`` are
    ``zh``.
    """

    EN = "en"
    ZH = "zh"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        tag = LANGUAGE_TAG.fullmatch(value) if isinstance(value, str) else None
        name = tag[1].lower() if tag else None
        return next((language for language in cls if language.value == name), None)

    @property
    def tag(self) -> str:
        """The language tag that decides plurals and dates: British English, simplified Chinese."""
        return TAGS[self]


TAGS = {Language.EN: "en-GB", Language.ZH: "zh-Hans"}


def expect_distinct_languages(texts: Any) -> Any:  # noqa: ANN401 - not yet validated
    """Refuse texts that name one language twice, as ``zh`` and ``zh-CN`` do."""
    seen: dict[Language, str] = {}
    for tag in texts if isinstance(texts, Mapping) else ():
        language = _language(str(tag))
        if language in seen:
            raise ValueError(f"{seen[language]} and {tag} are one language: send only {language}.")
        if language:
            seen[language] = str(tag)
    return texts


ByLanguage = Annotated[dict[Language, TextT], BeforeValidator(expect_distinct_languages)]
"""Texts by language, each language once."""


def format_day(day: date, language: Language) -> str:
    """Write a day with the name of its month: 1 May 2026."""
    from babel.dates import format_date

    return format_date(day, "long", locale=language.tag.replace("-", "_"))


def close_gaps(text: str, language: Language) -> str:
    """Remove the spaces between two Chinese characters that a value has left in Chinese text.

    A text has a space around each value: it belongs there if the value is a number or in Latin.
    """
    return GAP.sub("", text) if language is Language.ZH else text


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
    try:
        return Language(part.partition(";")[0].strip())
    except ValueError:
        return None


def _quality(part: str) -> float:
    _, _, quality = part.replace(" ", "").lower().partition(";q=")
    try:
        return float(quality) if quality else 1.0
    except ValueError:
        return 0.0
