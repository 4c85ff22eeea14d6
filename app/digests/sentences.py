"""The lines of a digest; their texts are in ``sentences.*.ftl``."""

from app.core.catalogue import Number, load_catalogue
from app.core.languages import Language
from app.core.number_format import format_money
from app.reports.movers.schemas import MovedAccount
from app.reports.today.schemas import TodayAccount


def title(count: int, language: Language, *, has_more: bool) -> str:
    """Say how many accounts need something; ``has_more``: at least so many."""
    message_id = "title_more" if has_more else "title"
    return load_catalogue(__file__, language).format(message_id, count=Number(count))


def account_sentence(account: TodayAccount, currency: str, language: Language) -> str:
    """Say why an account needs something, what is at stake, by when, and what to do."""
    texts = load_catalogue(__file__, language)
    parts = [account.why.rstrip()]
    if account.revenue_at_risk_cents:
        money = f"{format_money(account.revenue_at_risk_cents)} {currency}"
        parts.append(texts.format("at_stake", money=money))
    if account.days_to_notice is not None and account.days_to_notice >= 0:
        parts.append(texts.format("notice", days=Number(account.days_to_notice)))
    if account.next_step and account.next_step.next_step:
        parts.append(texts.format("step", text=account.next_step.next_step))
    return texts.format_list("join", parts)


def mover_sentence(mover: MovedAccount, language: Language) -> str:
    """Say how a score moved, and why if that is known."""
    message_id = "rose" if mover.points > 0 else "fell"
    return load_catalogue(__file__, language).format(
        message_id,
        points=Number(round(abs(mover.points), 1)),
        score=Number(round(mover.score, 1)),
        reason=mover.reason,
    )
