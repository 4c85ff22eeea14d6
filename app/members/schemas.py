"""Wire types of members."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from app.core.languages import Language
from app.core.schemas import RequestModel, ResponseModel, Text
from app.members.roles import Role

Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$"),
    Field(examples=["kim@example.com"]),
]


class MemberIn(RequestModel):
    email: Email = Field(description="Case does not matter. Accounts of this `owner` are theirs.")
    name: Text = Field(examples=["Kim Lee"])
    role: Role = Role.MEMBER


class MemberPatch(RequestModel):
    """The fields to change; a field that is left out keeps its value."""

    name: Text = Field(default_factory=str, examples=["Kim Lee"])
    role: Role = Field(default_factory=lambda: Role.MEMBER, examples=["admin"])
    language: Language | None = Field(
        None, description="Language of the page; null: that of the browser."
    )


class MemberOut(ResponseModel):
    id: str = Field(examples=["mem_5f0c1c5c3a2b4d6e"])
    email: str = Field(examples=["kim@example.com"])
    name: str = Field(examples=["Kim Lee"])
    role: Role
    language: Language | None
    created_at: datetime
    joined_at: datetime | None = Field(description="The first sign-in.")
    link_expires_at: datetime | None = Field(
        description="Until when an unused sign-in link is valid; null: there is none."
    )


class InvitedMemberOut(MemberOut):
    """A member with a sign-in link, which no other route can show again."""

    link: str = Field(
        description="To be opened once in a browser; without a host unless `HEALTH_PUBLIC_URL` is"
        " set.",
        examples=["https://health.example.com/sign-in/Zk3…"],
    )
