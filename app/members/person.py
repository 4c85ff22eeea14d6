"""The member who sends a request, and the only role check."""

from dataclasses import dataclass

from app.core.errors import ForbiddenError
from app.core.languages import Language
from app.members.roles import Role


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
