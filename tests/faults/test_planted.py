"""The evidence of a stand shows what is planted in the database, at the receiver and in a log."""

import orjson

from tests.faults.ledger import compare
from tests.faults.stand import open_stand
from tests.webhooks.receiver import ReceivedRequest

LOSE = "DELETE FROM event WHERE message_id = 'planted-1--4-0'"
COUNT_TWICE = "UPDATE daily_usage SET events = events + 5 WHERE account_id = 'own--4'"


def test_planted_faults_are_found_in_what_is_stored_received_and_logged() -> None:
    with open_stand("planted", 1) as stand:
        api = stand.start_api()
        stand.traffic.send_announced()
        stand.rig.run(LOSE, COUNT_TWICE)
        forged = orjson.dumps({"data": {"account_id": "own--4"}})
        stand.accept(ReceivedRequest("/", {"webhook-id": "forged"}, forged))
        api.log.write_text('{"event": "request_failed", "exception": "Traceback\\nKeyError"}\n')

        outcome = compare(stand.evidence())

    assert (outcome.acked, outcome.stored, outcome.counted) == (20, 19, 25)
    assert outcome.lost == ["event planted-1--4-0 was acknowledged, not stored"]
    assert "counts have 5 events too many of own--4" in outcome.doubled
    assert {
        "message forged has a wrong signature",
        "message forged is not recorded",
        f"{api.log.stem} logged request_failed: KeyError",
    } <= {*outcome.unexpected}
    assert not outcome.held
