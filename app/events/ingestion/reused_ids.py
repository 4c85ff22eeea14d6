"""Store events of clients that give different events one id: the second is not lost."""

from collections.abc import Callable, Collection, Mapping, Sequence

from app.events.ingestion.receipts import NOTHING_COUNTED
from app.events.reading.canonical import CanonicalEvent
from app.events.reading.reused_ids import with_own_id


def store_under_own_ids(
    insert: Callable[..., dict[int, str]],
    events: Sequence[CanonicalEvent],
    verdicts: Mapping[int, str],
    reused: Collection[int],
    *,
    counted: bool,
) -> dict[int, str]:
    """Store duplicates with other content than the stored event; return all verdicts.

    The first try counted them as duplicates. The second takes this back.
    """
    again = [with_own_id(event) for event in events if event.n in reused and event.reuses_ids]
    if not again:
        return dict(verdicts)
    taken_back = [
        {**NOTHING_COUNTED, "sdk": event.sdk or "", "code": "", "duplicates": -1} for event in again
    ]
    stored = insert([event.row() for event in again], excluded=taken_back if counted else None)
    numbers = {event.n for event in again}
    return {n: code for n, code in verdicts.items() if n not in numbers} | stored
