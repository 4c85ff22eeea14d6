"""Leave excluded users out: people of the workspace's own domains, and users marked as excluded.

Every statement that counts what people did contains one of these conditions.
"""

from app.core.sql import load_sql

SQL = load_sql(__file__)


def is_excluded_user(user_id: str) -> str:
    """Return the SQL condition that a user is excluded. ``user_id``: the column with the id."""
    return SQL.fill("is_excluded_user", user_id=user_id)


def is_excluded_answer() -> str:
    """Return the SQL condition that an excluded user gave the survey response ``r``."""
    return SQL.fill("is_excluded_answer")


def without_excluded_users(known_on: str = ":as_of") -> str:
    """Return the SQL condition, from AND on, that the user of a usage row ``u`` is not excluded.

    ``known_on``: the parameter or column with the day on which visitors must be known as users.
    """
    return SQL.fill("without_excluded_users", known_on=known_on)


def excluded_from() -> str:
    """Return the SQL expression of the day from which the visitor of a usage row is excluded.

    ``without_excluded_users("DATE '-infinity'")`` leaves out the other excluded users.
    """
    return SQL.fill("excluded_from")


def first_day_of_use(account_id: str, known_on: str = ":as_of") -> str:
    """Return the SQL expression of the first day on which a user who is not excluded used it."""
    return SQL.fill("first_day_of_use", account_id=account_id, known_on=known_on)
