"""The roles of members, and the member who sends a request. The only place of role checks."""

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import ForbiddenError
from app.core.languages import Language


class Role(StrEnum):
    """What a member may do; each role includes those before it.

    A viewer reads, a member also acts on accounts, an admin also changes members and settings.
    """

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in member, with what the page needs of the workspace.

    ``language``: chosen by the member; None: that of the browser.
    """

    workspace_id: str
    member_id: str
    email: str
    display_name: str
    role: Role
    language: Language | None
    workspace_name: str
    base_currency: str
    has_aliases: bool

    @property
    def name(self) -> str:
        """The author's name in the audit log."""
        return f"member:{self.member_id}"

    def require(self, role: Role) -> None:
        if not self.role.includes(role):
            raise ForbiddenError(
                f"This needs the role {role}, and yours is {self.role}: ask an admin.",
                code="member_role",
            )
