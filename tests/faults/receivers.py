"""Receivers and accounts that always fail, and a crowd of messages for a receiver that returns."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.webhooks.endpoint_state import MAX_LIMIT
from bench.rig.receivers import create_endpoints
from bench.rig.service import wait_until
from tests.faults.stand import Stand
from tests.webhooks.receiver import OK, ReceivedRequest, Receiver, http_response, running_receiver

POISON = """
CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the score of this account always fails';
END $$;
CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON health_score FOR EACH ROW
WHEN (NEW.account_id = 'shared-0') EXECUTE FUNCTION refuse_poison()
"""
PARKED = "SELECT count(*) FROM parked_account WHERE account_id = 'shared-0' AND failures >= 3"
REMOVE_BAD = "DELETE FROM webhook_endpoint WHERE id NOT IN (SELECT min(id) FROM webhook_endpoint)"
FAILED = "SELECT count(*) FROM attempt WHERE status = 503"


def poison(stand: Stand, *, acks: int = 120) -> None:
    """Let the score of one account and two of three receivers always fail."""
    stand.allowed |= {"refresh_failed", "account_parked", "webhook_endpoint_changed"}
    stand.rig.run(POISON)
    failing = Receiver(lambda _: http_response(500))
    hanging = Receiver()
    hanging.respond = lambda _: hanging.hang
    stand.stack.enter_context(running_receiver(failing))
    stand.stack.enter_context(running_receiver(hanging))
    create_endpoints(stand.rig, stand.tenant, [failing, hanging], types=["alert.opened"])
    stand.start()
    stand.traffic.wait_for_acks(acks)
    wait_until(lambda: stand.rig.number(PARKED) == 1)
    stand.recover()
    stand.traffic.stop()
    wait_until(lambda: stand.traffic.announced <= stand.traffic.reached)
    stand.rig.run(REMOVE_BAD)


@dataclass
class Crowd:
    """Answers with 503 until ``is_open``, and counts how many requests run at a time."""

    is_open: bool = False
    running: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, _: ReceivedRequest) -> bytes:
        if not self.is_open:
            return http_response(503, retry_after="1")
        with self._counted():
            threading.Event().wait(0.02)
        return OK

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        yield
        with self.lock:
            self.running -= 1


def return_of_receiver(stand: Stand, *, acks: int = 200) -> None:
    """Let messages pile up for a receiver that is down; all become due when it returns."""
    stand.allowed |= {"webhook_endpoint_changed"}
    crowd = Crowd()
    stand.answer, stand.traffic.most_waiting = crowd.respond, 10_000
    stand.start()
    wait_until(lambda: stand.rig.number(FAILED) >= 5)
    stand.traffic.wait_for_acks(acks)
    crowd.is_open = True
    stand.end_pauses()
    stand.recover()
    stand.settle()
    if crowd.most > MAX_LIMIT:
        stand.unexpected.append(f"{crowd.most} requests at a time overrun the receiver")
