"""What it costs to record the old values of scores, so that lists keep their order while paged."""

from dataclasses import dataclass

from sqlalchemy import text

from bench.at_risk_fill import fill_at_risk
from bench.results import Result
from bench.rig.fill import Volume
from bench.rig.processor_time import processor_seconds
from bench.rig.rig import Rig, Tenant, create_tenant

MAX_SHARE = 0.25
TRIGGER = "ALTER TABLE health_score {} TRIGGER health_score_sort_update"
# Scores, trends and MRR change, as after a day on which everything moved.
WRITE = text("""
UPDATE health_score h SET
    score = :round + r.place % 90, mrr_cents = mrr_cents + 100,
    details = h.details || jsonb_build_object(
        'trend', jsonb_build_object('d7', :round + r.place % 7, 'd28', :round))
FROM generate_series(CAST(:first AS int), :first + :set_size - 1) AS r (place)
WHERE h.workspace_id = :id AND h.account_id = 'a' || r.place
""")


@dataclass(frozen=True, slots=True)
class Sizes:
    """``set_size``: scores of one statement. ``rounds``: how often all are written either way."""

    accounts: int
    set_size: int
    rounds: int
    scored: Volume


FULL = Sizes(20_000, 500, 3, Volume(100, users=5, uses=10, reached=50))
SMALLEST = Sizes(20, 10, 1, Volume(10, users=2, uses=3, reached=4))


def run(rig: Rig, sizes: Sizes) -> list[Result]:
    """Write all scores with and without the trigger, in turns, in CPU seconds of the server."""
    tenant = create_tenant(rig, "sort-values")
    fill_at_risk(rig, tenant, sizes.scored, sizes.accounts)
    seconds = {"DISABLE": 0.0, "ENABLE": 0.0}
    for number in range(sizes.rounds):
        for place, way in enumerate(sorted(seconds, reverse=number % 2 == 1)):
            rig.run(TRIGGER.format(way), "DELETE FROM sort_change")
            rig.maintain()
            seconds[way] += _write_scores(rig, tenant, sizes, 2 * number + place)
    rig.run(TRIGGER.format("ENABLE"))
    written = rig.number("SELECT count(*) FROM sort_change WHERE workspace_id = :id", id=tenant.id)
    bare, recorded = seconds["DISABLE"], seconds["ENABLE"]
    scores = sizes.accounts * sizes.rounds
    share = recorded / bare - 1 if bare else 0.0
    return [
        Result(
            "old values recorded with scores",
            share,
            f"{1e6 * recorded / scores:.0f} µs of CPU for each score",
            f"{1e6 * bare / scores:.0f} µs without",
            f"≤ {MAX_SHARE:.0%} more",
            share <= MAX_SHARE,
            share,
        ),
        Result(
            "records of the last round",
            written,
            f"{written:,} rows",
            f"{sizes.accounts:,} scores",
            "equal",
            written == sizes.accounts,
            exact=True,
        ),
    ]


def _write_scores(rig: Rig, tenant: Tenant, sizes: Sizes, number: int) -> float:
    """Return the CPU seconds that the server process of the connection took."""
    values = {"id": tenant.id, "round": 1000 * (number + 1), "set_size": sizes.set_size}
    with rig.engine.connect() as connection:
        pid = connection.scalars(text("SELECT pg_backend_pid()")).one()
        before = processor_seconds([pid])
        for first in range(0, sizes.accounts, sizes.set_size):
            connection.execute(WRITE, values | {"first": first})
            connection.commit()
        return processor_seconds([pid]) - before
