"""Parse the traits of people. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class UserTraits:
    columns: Mapping[str, Any] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)


def split_user_traits(traits: Mapping[str, Any]) -> UserTraits:
    """Split the traits of an ``identify`` call."""
    rest = dict(traits)
    columns: dict[str, Any] = {}
    for name in ("email", "name", "role"):
        value = rest.pop(name, None)
        if isinstance(value, str) and value:
            columns[name] = value[:500]
    if "name" not in columns and isinstance(rest.get("firstName"), str):
        columns["name"] = f"{rest['firstName']} {rest.get('lastName') or ''}".strip()[:500]
    return UserTraits(columns, rest)


def is_internal(email: str | None, internal_domains: Collection[str]) -> bool:
    """Whether a person works for the vendor: the e-mail address is in an internal domain."""
    _, at, domain = (email or "").rpartition("@")
    return bool(at) and domain.lower() in internal_domains
