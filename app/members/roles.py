"""The roles of members. Pure: the command line names them without loading the service."""

from enum import StrEnum


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
