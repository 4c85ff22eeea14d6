"""All checks, in the order in which they run."""

from collections.abc import Mapping

from app.doctor.answer_versions import check_answers
from app.doctor.faults import Check
from app.doctor.overlapping_periods import check_periods
from app.doctor.person_traits import check_person_traits
from app.doctor.unnamed_use import check_completions, check_reach

CHECKS: Mapping[str, Check] = {
    "person-traits": check_person_traits,
    "reach": check_reach,
    "completed-steps": check_completions,
    "periods": check_periods,
    "answers": check_answers,
}
"""Name to check."""
