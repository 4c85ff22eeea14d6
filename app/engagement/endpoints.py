"""HTTP endpoints of onboarding, loyalty tiers, goals and user roles."""

from fastapi import APIRouter

from app.accounts import queries as accounts
from app.accounts.schemas import NewId
from app.accounts.tables import User
from app.core.clock import Now
from app.core.db import ReadSessionDep, SessionDep
from app.core.http.routes import DeclaredRoute
from app.core.pagination import Page
from app.core.schemas import Id, problem_responses
from app.engagement import detail_queries, service
from app.engagement.case_endpoints import HasClosing
from app.engagement.case_endpoints import router as cases_router
from app.engagement.queries import load_engagement
from app.engagement.reply_standards.endpoints import router as standards_router
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
from app.engagement.tables import PRESENT, Goal, LoyaltyTier, OnboardingStep
from app.engagement.versions.objects import get_present
from app.workspaces.auth import AccountActor, Caller, Reader
from app.workspaces.resources import AccountRowListDep, RowListDep, RowsDep

engagement_router = APIRouter(
    prefix="/api/v1",
    tags=["engagement"],
    responses=problem_responses(400, 401, 403, 404, 422),
    route_class=DeclaredRoute,
)


def _snapshot(session: ReadSessionDep, caller: Caller, account_id: str, now: Now) -> Engagement:
    accounts.get_account(session, caller.workspace_id, account_id)
    today = now.date()
    by_account = load_engagement(session, caller.workspace_id, [account_id], as_of=today, now=now)
    return by_account[account_id]


@engagement_router.put("/onboarding-steps/{key}", summary="Create or replace an onboarding step")
def put_onboarding_step(
    key: NewId, body: OnboardingStepIn, session: SessionDep, actor: AccountActor
) -> OnboardingStepOut:
    """Create the step, or replace it. The same body again changes nothing.

    Every account is scored again in the background. If the event names changed, a job reads all
    usage for accounts that have done the step.
    """
    row = service.put_setting(session, actor, OnboardingStep, key, body.model_dump())
    return OnboardingStepOut.model_validate(row)


@engagement_router.get("/onboarding-steps/{key}", summary="Get an onboarding step")
def get_onboarding_step(key: Id, rows: RowsDep) -> OnboardingStepOut:
    """Return one step of onboarding."""
    return rows.get(OnboardingStep, OnboardingStepOut, key)


@engagement_router.delete(
    "/onboarding-steps/{key}", status_code=204, summary="Delete an onboarding step"
)
def delete_onboarding_step(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete the step and its completions. Every account is scored again in the background."""
    service.delete_setting(session, actor, OnboardingStep, key)


@engagement_router.get("/onboarding-steps", summary="List onboarding steps")
def list_onboarding_steps(rows: RowListDep) -> Page[OnboardingStepOut]:
    """Return the steps of onboarding ordered by key, one page at a time."""
    return rows.page(OnboardingStep, OnboardingStepOut)


@engagement_router.get(
    "/accounts/{account_id}/onboarding", summary="Get the onboarding of an account"
)
def get_account_onboarding(
    account_id: Id, session: ReadSessionDep, caller: Reader, now: Now
) -> AccountOnboardingOut:
    """Return the account's progress, and how long other accounts took for each step."""
    onboarding = _snapshot(session, caller, account_id, now).onboarding
    if onboarding is None:
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
        started_on=onboarding.started_on,
        current=onboarding.current.key if onboarding.current else None,
        days_in_step=onboarding.days_in_step if onboarding.current else None,
        done_share=onboarding.done_share,
        known_from=onboarding.known_from,
        steps=[StepProgressOut.model_validate(step) for step in onboarding.steps],
    )


@engagement_router.put("/loyalty-tiers/{key}", summary="Create or replace a loyalty tier")
def put_loyalty_tier(
    key: NewId, body: LoyaltyTierIn, session: SessionDep, actor: AccountActor
) -> LoyaltyTierOut:
    """Create the tier, or replace it. The same body again changes nothing.

    Every account is scored again in the background.
    """
    row = service.put_setting(session, actor, LoyaltyTier, key, body.model_dump())
    return LoyaltyTierOut.model_validate(row)


@engagement_router.get("/loyalty-tiers/{key}", summary="Get a loyalty tier")
def get_loyalty_tier(key: Id, rows: RowsDep) -> LoyaltyTierOut:
    """Return one loyalty tier."""
    return rows.get(LoyaltyTier, LoyaltyTierOut, key)


@engagement_router.delete("/loyalty-tiers/{key}", status_code=204, summary="Delete a loyalty tier")
def delete_loyalty_tier(key: Id, session: SessionDep, actor: AccountActor) -> None:
    """Delete the tier. Every account is scored again in the background."""
    service.delete_setting(session, actor, LoyaltyTier, key)


@engagement_router.get("/loyalty-tiers", summary="List loyalty tiers")
def list_loyalty_tiers(rows: RowListDep) -> Page[LoyaltyTierOut]:
    """Return loyalty tiers ordered by key, one page at a time."""
    return rows.page(LoyaltyTier, LoyaltyTierOut)


@engagement_router.put(
    "/goals/{goal_id}", responses=problem_responses(409), summary="Create or replace a goal"
)
def put_goal(goal_id: NewId, body: GoalIn, session: SessionDep, actor: AccountActor) -> GoalOut:
    """Create the goal, or replace it.

    Without a baseline, the baseline is the current value of the metric; a metric without a value is
    an error. The account is scored again in the background.
    """
    return GoalOut.model_validate(service.put_goal(session, actor, goal_id, body.model_dump()))


@engagement_router.patch("/goals/{goal_id}", summary="Update a goal")
def update_goal(goal_id: Id, body: GoalPatch, session: SessionDep, actor: AccountActor) -> GoalOut:
    """Change the fields that are sent. `closed_on` closes the goal.

    The account is scored again in the background.
    """
    changes = body.model_dump(exclude_unset=True)
    return GoalOut.model_validate(service.change_goal(session, actor, goal_id, changes))


@engagement_router.get("/goals/{goal_id}", summary="Get a goal")
def get_goal(goal_id: Id, rows: RowsDep) -> GoalOut:
    """Return one goal."""
    return GoalOut.model_validate(get_present(rows.session, Goal, rows.workspace_id, goal_id))


@engagement_router.get("/goals", summary="List goals")
def list_goals(*, rows: AccountRowListDep, closed: HasClosing = None) -> Page[GoalOut]:
    """Return goals ordered by id, one page at a time."""
    return rows.page(Goal, GoalOut, known_until=PRESENT, closed_on=closed)


@engagement_router.get("/accounts/{account_id}/goals", summary="List the open goals of an account")
def list_account_goals(
    account_id: Id, session: ReadSessionDep, caller: Reader, now: Now
) -> Page[GoalProgressOut]:
    """Return the account's goals that are not closed, with their progress, by due day."""
    goals = _snapshot(session, caller, account_id, now).goals
    items = [GoalProgressOut.model_validate(goal) for goal in goals]
    return Page(items=items, next_cursor=None)


@engagement_router.put("/users/{user_id}/roles", summary="Set the roles of a user")
def put_user_roles(
    user_id: NewId, body: UserRolesIn, session: SessionDep, actor: AccountActor
) -> UserRolesOut:
    """Replace all roles of the user. The account is scored again in the background."""
    roles = service.put_user_roles(session, actor, user_id, body.roles)
    return UserRolesOut(user_id=user_id, roles=roles)


@engagement_router.get("/users/{user_id}/roles", summary="Get the roles of a user")
def get_user_roles(user_id: Id, session: ReadSessionDep, caller: Reader) -> UserRolesOut:
    """Return the current roles of the user."""
    accounts.get(session, caller.workspace_id, User, user_id)
    roles = detail_queries.list_roles(session, caller.workspace_id, user_id)
    return UserRolesOut(user_id=user_id, roles=list(roles))


routers = (engagement_router, cases_router, standards_router)
