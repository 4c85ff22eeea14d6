"""The language of an answer: the query parameter ``lang``, else the ``Accept-Language`` header."""

from typing import Annotated

from fastapi import Depends, Header, Query

from app.core.languages import Language, preferred_language


async def _language(
    lang: Annotated[
        Language | None,
        Query(
            description="Language of the sentences, also as a tag such as `zh-CN`; by default from"
            " `Accept-Language`."
        ),
    ] = None,
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Language:
    return lang or preferred_language(accept_language)


LanguageDep = Annotated[Language, Depends(_language)]
"""The language of ``lang``, else the preferred one of ``Accept-Language``."""
