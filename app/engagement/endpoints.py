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
from app.engagement.listing import AccountListDep, ListDep
from app.engagement.queries import load_engagement
from app.engagement.schemas import (
    AccountOnboardingOut,
    GoalIn,
    GoalOut,
    GoalPatch,
    GoalProgressOut,
    LoyaltyTierIn,
    LoyaltyTierOut,
    OnboardingStepIn,
    OnboardingStepOut,
    StepProgressOut,
    UserRolesIn,
    UserRolesOut,
)
from app.engagement.snapshot import Engagement
from app.engagement.tables import Goal, LoyaltyTier, OnboardingStep
from app.workspaces.auth import AccountActor, Caller, Reader

engagement_router = APIRouter(
    prefix="/api/v1", tags=["engagement"], responses=problem_responses(400, 401, 403, 404, 422)
)


def _snapshot(session: ReadSessionDep, caller: Caller, account_id: str, now: Now) -> Engagement:
    accounts.get_account(session, caller.workspace_id, account_id)
    found = load_engagement(session, caller.workspace_id, [account_id], as_of=now.date(), now=now)
    return found[account_id]


@engagement_router.put("/onboarding-steps/{key}")
def put_onboarding_step(
    key: Id, body: OnboardingStepIn, session: SessionDep, change: AccountActor
) -> OnboardingStepOut:
    """Create or replace a step of onboarding. Every account is looked at again."""
    row = service.put_setting(session, change, OnboardingStep, key, body.model_dump())
    return OnboardingStepOut.model_validate(row)


@engagement_router.get("/onboarding-steps/{key}")
def get_onboarding_step(key: Id, session: ReadSessionDep, caller: Reader) -> OnboardingStepOut:
    """Show a step of onboarding."""
    row = row_queries.get(session, caller.workspace_id, OnboardingStep, key)
    return OnboardingStepOut.model_validate(row)


@engagement_router.delete("/onboarding-steps/{key}", status_code=204)
def delete_onboarding_step(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a step of onboarding, and who did it."""
    service.delete_setting(session, change, OnboardingStep, key)


@engagement_router.get("/onboarding-steps")
def list_onboarding_steps(listing: ListDep) -> Page[OnboardingStepOut]:
    """List the steps of onboarding by key."""
    return listing.page(OnboardingStep, OnboardingStepOut)


@engagement_router.get("/accounts/{account_id}/onboarding")
def get_account_onboarding(
    account_id: Id, session: ReadSessionDep, caller: Reader, now: Now
) -> AccountOnboardingOut:
    """Show how far an account is, and how long its peers took for each step."""
    found = _snapshot(session, caller, account_id, now).onboarding
    if found is None:
        return AccountOnboardingOut(
            account_id=account_id,
            started_on=None,
            current=None,
            days_in_step=None,
            done_share=None,
            steps=[],
        )
    return AccountOnboardingOut(
        account_id=account_id,
        started_on=found.started_on,
        current=found.current.key if found.current else None,
        days_in_step=found.days_in_step if found.current else None,
        done_share=found.done_share,
        steps=[StepProgressOut.model_validate(step) for step in found.steps],
    )


@engagement_router.put("/loyalty-tiers/{key}")
def put_loyalty_tier(
    key: Id, body: LoyaltyTierIn, session: SessionDep, change: AccountActor
) -> LoyaltyTierOut:
    """Create or replace a loyalty tier. Every account is looked at again."""
    row = service.put_setting(session, change, LoyaltyTier, key, body.model_dump())
    return LoyaltyTierOut.model_validate(row)


@engagement_router.get("/loyalty-tiers/{key}")
def get_loyalty_tier(key: Id, session: ReadSessionDep, caller: Reader) -> LoyaltyTierOut:
    """Show a loyalty tier."""
    return LoyaltyTierOut.model_validate(
        row_queries.get(session, caller.workspace_id, LoyaltyTier, key)
    )


@engagement_router.delete("/loyalty-tiers/{key}", status_code=204)
def delete_loyalty_tier(key: Id, session: SessionDep, change: AccountActor) -> None:
    """Delete a loyalty tier."""
    service.delete_setting(session, change, LoyaltyTier, key)


@engagement_router.get("/loyalty-tiers")
def list_loyalty_tiers(listing: ListDep) -> Page[LoyaltyTierOut]:
    """List loyalty tiers by key."""
    return listing.page(LoyaltyTier, LoyaltyTierOut)


@engagement_router.put("/goals/{goal_id}", responses=problem_responses(409))
def put_goal(goal_id: Id, body: GoalIn, session: SessionDep, change: AccountActor) -> GoalOut:
    """Create or replace a goal of an account."""
    return GoalOut.model_validate(service.put_goal(session, change, goal_id, body.model_dump()))


@engagement_router.patch("/goals/{goal_id}")
def update_goal(goal_id: Id, body: GoalPatch, session: SessionDep, change: AccountActor) -> GoalOut:
    """Change what is sent. With `closed_on` nobody follows the goal any more."""
    said = body.model_dump(exclude_unset=True)
    return GoalOut.model_validate(service.change_goal(session, change, goal_id, said))


@engagement_router.get("/goals/{goal_id}")
def get_goal(goal_id: Id, session: ReadSessionDep, caller: Reader) -> GoalOut:
    """Show a goal."""
    return GoalOut.model_validate(row_queries.get(session, caller.workspace_id, Goal, goal_id))


@engagement_router.get("/goals")
def list_goals(*, listing: AccountListDep, closed: bool | None = None) -> Page[GoalOut]:
    """List goals by id."""
    return listing.page(Goal, GoalOut, closed_on=closed)


@engagement_router.get("/accounts/{account_id}/goals")
def list_account_goals(
    account_id: Id, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[GoalProgressOut]:
    """Show the goals of an account that are not closed, and how far each is."""
    goals = _snapshot(session, caller, account_id, now).goals
    items = [GoalProgressOut.model_validate(goal) for goal in goals]
    return Page(items=items, next_cursor=None)


@engagement_router.put("/users/{user_id}/roles")
def put_user_roles(
    user_id: Id, body: UserRolesIn, session: SessionDep, change: AccountActor
) -> UserRolesOut:
    """Let a person have these roles from now on, and no others."""
    roles = incidents.put_user_roles(session, change, user_id, body.roles)
    return UserRolesOut(user_id=user_id, roles=roles)


@engagement_router.get("/users/{user_id}/roles")
def get_user_roles(user_id: Id, session: ReadSessionDep, caller: Reader) -> UserRolesOut:
    """Show which roles a person has for you."""
    accounts.get(session, caller.workspace_id, User, user_id)
    roles = row_queries.list_roles(session, caller.workspace_id, user_id)
    return UserRolesOut(user_id=user_id, roles=list(roles))


router = APIRouter()
router.include_router(engagement_router)
router.include_router(cases_router)
