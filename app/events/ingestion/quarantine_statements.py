"""SQL that quarantines events."""

from sqlalchemy import text

QUARANTINE_EVENTS = text("""
INSERT INTO quarantined_event AS q (
    workspace_id, fingerprint, code, pointer, detail, message_id, sdk, key_id, payload, status,
    times, received_at, last_received_at, dialect, sent_at, historical
)
SELECT :workspace_id, decode(r.fingerprint, 'hex'), r.code, r.pointer, r.detail, r.message_id,
       r.sdk, :key_id, r.payload, 'open', 1, :received_at, :received_at, r.dialect, r.sent_at,
       :historical
FROM json_to_recordset(CAST(:rows AS json)) AS r (
    fingerprint text, code text, pointer text, detail text, message_id text, sdk text,
    payload text, dialect text, sent_at timestamptz)
ORDER BY 2
ON CONFLICT (workspace_id, fingerprint) DO UPDATE SET
    times = q.times + 1, last_received_at = excluded.last_received_at
RETURNING encode(fingerprint, 'hex') AS fingerprint, number
""")
