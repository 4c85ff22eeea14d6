from datetime import date
from statistics import fmean

from app.demo.owners import REASONS, Statement, owner_statements
from app.demo.simulate import World
from app.demo.world import Cause

DAYS = 548


def statements(world: World, *, seed: int = 1) -> list[Statement]:
    return [
        statement
        for simulated in world.simulated_accounts
        for statement in owner_statements(simulated, DAYS, seed=seed)
    ]


def test_the_same_seed_gives_the_same_statements(full_world: World) -> None:
    assert statements(full_world) == statements(full_world)
    assert statements(full_world) != statements(full_world, seed=2)


def test_owners_name_the_planted_cause_only_once_it_has_begun(full_world: World) -> None:
    profiles = {each.account.account_id: each.profile for each in full_world.simulated_accounts}
    causes = {reason: cause for cause, reason in REASONS.items()}
    named = [each for each in statements(full_world) if each.reason in causes]

    assert {causes[each.reason] for each in named} == set(Cause) - {Cause.NONE}
    for each in named:
        profile = profiles[each.account_id]
        assert profile.cause is causes[each.reason]
        assert profile.onset <= each.day
        assert each.value <= 2
        assert each.task


def test_owners_feel_worse_about_accounts_that_leave_soon(full_world: World) -> None:
    """They know something, and not all: some of their good news leave too."""
    first, ends = full_world.first_day, {r.account_id: r.churned_on for r in full_world.truth}
    leaving: list[int] = []
    others: list[int] = []
    for each in statements(full_world):
        left_on = ends.get(each.account_id) or date.max
        group = leaving if (left_on - first).days - each.day <= 90 else others
        group.append(each.value)

    assert fmean(leaving) < fmean(others) - 0.3
    assert max(leaving) > 3
    assert set(others) == {1, 2, 3, 4, 5}


def test_owners_say_nothing_about_accounts_that_have_left(full_world: World) -> None:
    ends = {e.account.account_id: e.trajectory.end for e in full_world.simulated_accounts}

    assert all(each.day < min(ends[each.account_id], DAYS) for each in statements(full_world))
