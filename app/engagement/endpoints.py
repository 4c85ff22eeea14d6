"""Onboarding, loyalty tiers, goals and roles over HTTP: what an account is to get to."""

from fastapi import APIRouter

from app.accounts import queries as accounts
from app.accounts.tables import User
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.pagination import Page
from app.core.schemas import Id, problem_responses
from app.engagement import incidents, row_queries, service
from app.engagement.case_endpoints import router as cases_router
from app.engagement.listing import ListingDep, WholeDep
from app.engagement.queries import standing
from app.engagement.schemas import (
    GoalIn,
    GoalOut,
    GoalPatch,
    GoalStandingOut,
    OnboardingOut,
    RolesIn,
    RolesOut,
    StepIn,
    StepOut,
    StepStandingOut,
    TierIn,
    TierOut,
)
from app.engagement.tables import Goal, LoyaltyTier, OnboardingStep
from app.engagement.values import Engagement
from app.workspaces.auth import AccountActor, Caller, Reader

settings = APIRouter(
    prefix="/api/v1", tags=["engagement"], responses=problem_responses(400, 401, 403, 404, 422)
)


def _standing(session: ReadSessionDep, caller: Caller, account_id: str, now: Now) -> Engagement:
    accounts.get_account(session, caller.workspace_id, account_id)
    found = standing(session, caller.workspace_id, [account_id], as_of=now.date(), now=now)
    return found[account_id]


@settings.put("/onboarding-steps/{key}")
def put_step(key: Id, body: StepIn, session: SessionDep, change: AccountActor) -> StepOut:
    """Create or replace a step of onboarding. Every account is looked at again."""
    row = service.put_setting(session, change, OnboardingStep, key, body.model_dump())
    return StepOut.model_validate(row)


@settings.get("/onboarding-steps/{key}")
def get_step(key: Id, session: ReadSessionDep, caller: Reader) -> StepOut:
    """Show a step of onboarding."""
    row = row_queries.get(session, caller.workspace_id, OnboardingStep, key)
    return StepOut.model_validate(row)


@settings.delete("/onboarding-steps/{key}", status_code=204)
def delete_step(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a step of onboarding, and who did it."""
    service.delete_setting(session, change, OnboardingStep, key)


@settings.get("/onboarding-steps")
def list_steps(listing: WholeDep) -> Page[StepOut]:
    """List the steps of onboarding by key."""
    return listing.page(OnboardingStep, StepOut)


@settings.get("/accounts/{account_id}/onboarding")
def get_onboarding(
    account_id: Id, session: ReadSessionDep, caller: Reader, now: Now
) -> OnboardingOut:
    """Show how far an account is, and how long its peers took for each step."""
    found = _standing(session, caller, account_id, now).onboarding
    if found is None:
        return OnboardingOut(
            account_id=account_id,
            started_on=None,
            current=None,
            days_in_step=None,
            done_share=None,
            steps=[],
        )
    return OnboardingOut(
        account_id=account_id,
        started_on=found.started_on,
        current=found.current.key if found.current else None,
        days_in_step=found.days_in_step if found.current else None,
        done_share=found.done_share,
        steps=[StepStandingOut.model_validate(step) for step in found.steps],
    )


@settings.put("/loyalty-tiers/{key}")
def put_tier(key: Id, body: TierIn, session: SessionDep, change: AccountActor) -> TierOut:
    """Create or replace a loyalty tier. Every account is looked at again."""
    row = service.put_setting(session, change, LoyaltyTier, key, body.model_dump())
    return TierOut.model_validate(row)


@settings.get("/loyalty-tiers/{key}")
def get_tier(key: Id, session: ReadSessionDep, caller: Reader) -> TierOut:
    """Show a loyalty tier."""
    return TierOut.model_validate(row_queries.get(session, caller.workspace_id, LoyaltyTier, key))


@settings.delete("/loyalty-tiers/{key}", status_code=204)
def delete_tier(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a loyalty tier."""
    service.delete_setting(session, change, LoyaltyTier, key)


@settings.get("/loyalty-tiers")
def list_tiers(listing: WholeDep) -> Page[TierOut]:
    """List loyalty tiers by key."""
    return listing.page(LoyaltyTier, TierOut)


@settings.put("/goals/{goal_id}", responses=problem_responses(409))
def put_goal(goal_id: Id, body: GoalIn, session: SessionDep, change: AccountActor) -> GoalOut:
    """Create or replace a goal of an account."""
    return GoalOut.model_validate(service.put_goal(session, change, goal_id, body.model_dump()))


@settings.patch("/goals/{goal_id}")
def change_goal(goal_id: Id, body: GoalPatch, session: SessionDep, change: AccountActor) -> GoalOut:
    """Change what is sent. With `closed_on` nobody follows the goal any more."""
    said = body.model_dump(exclude_unset=True)
    return GoalOut.model_validate(service.change_goal(session, change, goal_id, said))


@settings.get("/goals/{goal_id}")
def get_goal(goal_id: Id, session: ReadSessionDep, caller: Reader) -> GoalOut:
    """Show a goal."""
    return GoalOut.model_validate(row_queries.get(session, caller.workspace_id, Goal, goal_id))


@settings.get("/goals")
def list_goals(*, listing: ListingDep, closed: bool | None = None) -> Page[GoalOut]:
    """List goals by id."""
    return listing.page(Goal, GoalOut, closed_on=closed)


@settings.get("/accounts/{account_id}/goals")
def list_account_goals(
    account_id: Id, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[GoalStandingOut]:
    """Show the goals of an account that are not closed, and how far each is."""
    goals = _standing(session, caller, account_id, now).goals
    items = [GoalStandingOut.model_validate(goal) for goal in goals]
    return Page(items=items, next_cursor=None)


@settings.put("/users/{user_id}/roles")
def put_roles(user_id: Id, body: RolesIn, session: SessionDep, change: AccountActor) -> RolesOut:
    """Let a person have these roles from now on, and no others."""
    roles = incidents.put_roles(session, change, user_id, body.roles)
    return RolesOut(user_id=user_id, roles=roles)


@settings.get("/users/{user_id}/roles")
def get_roles(user_id: Id, session: ReadSessionDep, caller: Reader) -> RolesOut:
    """Show which roles a person has for you."""
    accounts.get(session, caller.workspace_id, User, user_id)
    roles = row_queries.roles(session, caller.workspace_id, user_id)
    return RolesOut(user_id=user_id, roles=list(roles))


router = APIRouter()
router.include_router(settings)
router.include_router(cases_router)
