"""Every catalogue of sentences: all languages have the same texts, and code uses all of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from babel import Locale

from app.alerts.schemas import AlertVerdict
from app.churn.model.drivers import COLUMNS_BY_SIGNAL
from app.churn.model.levels import LEVELS, ModelStage
from app.churn.model.rules_reason import RULES_CODES
from app.collaboration.schemas import NoteKind
from app.core.filters.tree import Op
from app.core.languages import Language
from app.engagement.schemas import Metric
from app.engagement.snapshot import GoalStatus
from app.health.definition.benchmark import Measure
from app.health.definition.measures import METRIC_NAMES
from app.health.definition.scorecard import Band
from app.health.explanations.explain import EffectKind
from app.members.roles import Role
from app.reports.churn_causes.schemas import FindingKind
from app.reports.people.schemas import PersonStatus
from app.reports.review.service import USAGE_SOURCES
from app.reports.timeline.kinds import EVENTS
from app.signals.detect import SIGNALS
from app.signals.signal import Severity
from app.web.accounts.chips import OFFERED_FIELDS
from app.web.accounts.endpoints import TABS
from app.web.accounts.list_state import COLUMNS
from app.web.accounts.work_view import GROUPS
from app.web.alerts.inbox import STATES
from app.web.frame.rendering import DONE
from tests.catalogues import APP, messages, texts

SIGNAL_SENTENCES = "signals/sentences"
EXPLANATIONS = "health/explanations/sentences"
STATUS_REASONS = "health/status_reasons"
DRIVERS = "churn/model/driver_sentences"
DIGESTS = "digests/sentences"
REVIEW = "reports/review/page"
PAGE_FRAME, PEOPLE = "web/frame/rendering", "web/people/endpoints"
ACCOUNT_PAGES, TODAY_PAGE = "web/accounts/endpoints", "web/today/endpoints"
ALERTS_PAGE = "web/alerts/endpoints"
CHURN_CAUSES = "reports/churn_causes/sentences"
TIMELINE = "reports/timeline/sentences"
TODAY = "reports/today/sentences"
COUNTED = ("people", "features", "end_customers")

REASONS = [name for name in messages(SIGNAL_SENTENCES, Language.EN) if name.startswith("reason_")]
"""Codes of reasons that this service and Stripe write; other reasons are shown as they came."""

COMPUTED_IDS: dict[str, list[str]] = {
    SIGNAL_SENTENCES: [
        *(*SIGNALS, "limit_users", "limit_end_customers", *REASONS),
        *(f"amount_{metric}" for metric in get_args(Metric)),
    ],
    EXPLANATIONS: [f"metric_{name}" for name in METRIC_NAMES],
    STATUS_REASONS: [],
    DRIVERS: [
        *(f"feature_{name}" for names in COLUMNS_BY_SIGNAL.values() for name in names),
        *(f"stage_{stage}" for stage in ModelStage),
        *(f"why_{code}" for code in RULES_CODES),
    ],
    PAGE_FRAME: [
        *(f"done_{name}" for name in DONE),
        *(f"band_{band}" for band in Band),
        *(f"level_{level}" for level in LEVELS),
        *(f"severity_{severity}" for severity in Severity),
    ],
    ACCOUNT_PAGES: [
        *(f"column_{name}" for name in ("name", "line", "open", *COLUMNS)),
        *(f"field_{name.replace('.', '_')}" for name in OFFERED_FIELDS),
        *(f"op_{op}" for op in Op),
        *(f"invalid_{name}" for name in ("field", "value", "choice", "number", "day")),
        *(f"measure_{source}" for source in Measure),
        *(f"stage_{stage}" for stage in ModelStage),
        *(f"tab_{name}" for name in TABS),
        *(f"kind_{kind}" for kind in EffectKind),
        *(f"kind_of_{kind}" for kind in NoteKind),
        *(f"group_{group}" for group in GROUPS),
        *(f"person_{status}" for status in PersonStatus),
        *(f"role_{role}" for role in ("champion", "sponsor")),
        *(f"agreement_{name}" for name in ("optimistic", "pessimistic")),
        *("adjusted", "named_kind", "mark_price", "mark_plan", "mark_scorecard"),
    ],
    ALERTS_PAGE: [
        *(f"state_{name}" for name in STATES),
        *(f"severity_{severity}" for severity in Severity),
        *(f"verdict_{verdict}" for verdict in AlertVerdict),
    ],
    TODAY_PAGE: [f"moved_{direction}" for direction in ("up", "down")],
    PEOPLE: [f"role_{role}" for role in Role],
    CHURN_CAUSES: [
        *(f"signal_{name}" for name in SIGNALS),
        *(f"subject_{kind}" for kind in FindingKind),
        *("no_paid_days", "too_few_left", "nothing_to_compare_with", "nobody_left_otherwise"),
    ],
    TIMELINE: [f"{kind}_{event}" for kind, events in EVENTS.items() for event in events],
    TODAY: [],
    DIGESTS: [],
    REVIEW: [
        *(f"band_{band}" for band in Band),
        *(f"goal_{status}" for status in GoalStatus),
        *(f"measure_{source}" for source in USAGE_SOURCES),
        *(f"level_{level}" for level in LEVELS),
        *(f"{kind}_{what}" for kind in ("count", "part") for what in COUNTED),
        *(f"role_{role}" for role in ("champion", "sponsor")),
    ],
}
"""The messages whose ids the code puts together, by catalogue: each must exist."""
AMOUNTS = {f"amount_{name}" for name in (*METRIC_NAMES, "weighted_breadth")}
"""Messages that exist for the metrics that count something."""

LATIN_TERMS = {"MRR", "NPS", "CSAT"}


ALL = sorted(str(path.relative_to(APP)).removesuffix(".en.ftl") for path in APP.rglob("*.en.ftl"))
IN_EVERY_LANGUAGE = [(catalogue, language) for catalogue in ALL for language in Language]


def test_every_catalogue_is_known_here_and_exists_in_every_language() -> None:
    names = {str(path.relative_to(APP)) for path in APP.rglob("*.ftl")}

    assert set(ALL) == set(COMPUTED_IDS)
    assert names == {f"{catalogue}.{language}.ftl" for catalogue, language in IN_EVERY_LANGUAGE}


@pytest.mark.parametrize(("catalogue", "language"), IN_EVERY_LANGUAGE)
def test_every_language_has_the_same_texts_with_the_same_values(
    catalogue: str, language: Language
) -> None:
    english, other = (
        [
            (text.message_id, text.attribute, text.refers_to.variables)
            for text in texts(catalogue, each)
        ]
        for each in (Language.EN, language)
    )

    assert other == english


@pytest.mark.parametrize("catalogue", ALL)
def test_every_message_that_code_uses_exists_and_every_message_is_used(catalogue: str) -> None:
    ids, computed = set(messages(catalogue, Language.EN)), set(COMPUTED_IDS[catalogue])
    formatted, constants = ids_in_code((APP / catalogue).parent)
    parts = {part for each in texts(catalogue, Language.EN) for part in each.refers_to.messages}

    assert (computed | formatted) - ids == set()
    assert ids - computed - constants - parts - AMOUNTS == set()


def ids_in_code(folder: Path) -> tuple[set[str], set[str]]:
    """Return the ids that code formats, and all constants of that code, which may be ids."""
    formatted, constants = set(), set()
    for path in folder.glob("*.html"):
        formatted |= set(re.findall(r'text\("(\w+)"[,)]', path.read_text()))
        constants |= set(re.findall(r'"(\w+)"', path.read_text()))
    for path in folder.glob("*.py"):
        if "app.core.catalogue" not in path.read_text():
            continue
        tree = ast.parse(path.read_text())
        constants |= set(constants_in(tree))
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="format" | "format_list"), args=[first, *_]):
                    formatted |= set(constants_in(first))
    return formatted, constants


def constants_in(tree: ast.AST) -> Iterator[str]:
    """Yield the whole texts in a syntax tree, without the parts of f-strings."""
    if isinstance(tree, ast.JoinedStr):
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    for node in ast.iter_child_nodes(tree):
        yield from constants_in(node)


@pytest.mark.parametrize(("catalogue", "language"), IN_EVERY_LANGUAGE)
def test_every_text_can_be_formatted_also_with_long_values(
    catalogue: str, language: Language
) -> None:
    for text in texts(catalogue, language):
        for number in (0, 1, 2.5, 1200):
            assert not re.search(r"[{}\n]|  |^\s|\s$|^$", text.format("x" * 9000, number)), text


@pytest.mark.parametrize(("catalogue", "language"), IN_EVERY_LANGUAGE)
def test_a_plural_has_the_forms_of_its_language(catalogue: str, language: Language) -> None:
    forms = {*Locale.parse(language.tag, sep="-").plural_form.tags, "other"}

    plurals = [each for text in texts(catalogue, language) for each in text.refers_to.plurals]

    assert [each for each in plurals if each != (True, forms)] == []


@pytest.mark.parametrize("catalogue", ALL)
def test_chinese_has_chinese_words_and_full_width_punctuation(catalogue: str) -> None:
    text = "\n".join(each.refers_to.text for each in texts(catalogue, Language.ZH))

    assert set(re.findall(r"[A-Za-z]+", text)) <= LATIN_TERMS
    assert re.findall(r"""[,;:!?.()"']""", text) == []


@pytest.mark.parametrize("catalogue", ALL)
def test_english_has_no_chinese_characters(catalogue: str) -> None:
    assert all(each.refers_to.text.isascii() for each in texts(catalogue, Language.EN))
