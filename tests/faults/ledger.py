"""Compare what was acknowledged with what is stored, counted and delivered. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """A webhook that the receiver got. ``verified``: whether its signature is right."""

    message_id: str
    account_id: str
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known at the end of a scenario.

    ``acked``: the account of each event that was acknowledged. ``sent``: ids of all events that may
    be stored. ``stored``: ids of the rows of events. ``counted``: events by account in the daily
    counts. ``announced``: the accounts that must be announced by exactly one message.
    ``messages``: the account of each message that the service recorded. ``recorded``: the message
    id of each attempt that was recorded as successful. ``unexpected``: answers, log lines and exit
    codes that no page documents.
    """

    acked: Mapping[str, str]
    sent: Collection[str]
    stored: Sequence[str]
    counted: Mapping[str, int]
    stored_by_account: Mapping[str, int]
    announced: Collection[str] = ()
    messages: Mapping[str, str] = field(default_factory=dict)
    received: Sequence[Received] = ()
    recorded: Sequence[str] = ()
    unexpected: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a scenario: numbers, and a sentence for each thing that is wrong."""

    acked: int
    stored: int
    counted: int
    delivered: int
    lost: Sequence[str]
    doubled: Sequence[str]
    unexpected: Sequence[str]

    @property
    def held(self) -> bool:
        """Whether the promise held."""
        return bool(self.acked) and not (self.lost or self.doubled or self.unexpected)


def compare(evidence: Evidence) -> Outcome:
    """Return what was lost, doubled or unexpected."""
    return Outcome(
        acked=len(evidence.acked),
        stored=len(evidence.stored),
        counted=sum(evidence.counted.values()),
        delivered=len({each.message_id for each in evidence.received}),
        lost=[*_lost(evidence)],
        doubled=[*_doubled(evidence)],
        unexpected=[*evidence.unexpected, *_unexpected(evidence)],
    )


def _lost(evidence: Evidence) -> list[str]:
    stored = set(evidence.stored)
    received = {each.message_id for each in evidence.received}
    announced = {each.account_id for each in evidence.received}
    return [
        *(f"event {each} was acknowledged, not stored" for each in evidence.acked.keys() - stored),
        *_count_differences(evidence, "counts miss {} events of {}", sign=1),
        *(f"account {each} was never announced" for each in {*evidence.announced} - announced),
        *(f"message {each} was not delivered" for each in evidence.messages.keys() - received),
    ]


def _doubled(evidence: Evidence) -> list[str]:
    per_account = Counter(evidence.messages.values())
    return [
        *(f"event {each} is stored twice" for each in _repeated(evidence.stored)),
        *_count_differences(evidence, "counts have {} events too many of {}", sign=-1),
        *(f"account {each} was announced twice" for each, n in per_account.items() if n > 1),
        *(f"message {each} is recorded twice" for each in _repeated(evidence.recorded)),
    ]


def _unexpected(evidence: Evidence) -> list[str]:
    known = evidence.messages.keys()
    return [
        *(f"event {each} was never sent" for each in {*evidence.stored} - {*evidence.sent}),
        *(
            f"message {each.message_id} has a wrong signature"
            for each in evidence.received
            if not each.verified
        ),
        *(
            f"message {each.message_id} is not recorded"
            for each in evidence.received
            if each.message_id not in known
        ),
    ]


def _repeated(ids: Sequence[str]) -> list[str]:
    return [each for each, times in Counter(ids).items() if times > 1]


def _count_differences(evidence: Evidence, sentence: str, *, sign: int) -> list[str]:
    """Compare the counts with the rows of events, account by account."""
    stored, counted = evidence.stored_by_account, evidence.counted
    differences = {
        account: sign * (stored.get(account, 0) - counted.get(account, 0))
        for account in stored.keys() | counted.keys()
    }
    return [sentence.format(n, account) for account, n in differences.items() if n > 0]
