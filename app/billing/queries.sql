-- name: touch_source
-- At most once a minute, and only if no other transaction does.
UPDATE billing_source SET last_event_at = :now
WHERE workspace_id = :workspace_id AND source_id = (
    SELECT source_id FROM billing_source
    WHERE workspace_id = :workspace_id AND system = :system AND (
        last_event_at IS NULL
        OR date_trunc('minute', last_event_at) < date_trunc('minute', CAST(:now AS timestamptz)))
    FOR UPDATE SKIP LOCKED)

-- name: mark_customers
UPDATE billing_customer c SET needs_reconcile = true
WHERE c.workspace_id = :workspace_id AND c.system = :system

-- name: mark_customers_with_unknown
{{mark_customers}} AND EXISTS (
    SELECT FROM billing_subscription s
    WHERE s.workspace_id = :workspace_id AND s.system = :system
      AND s.customer_id = c.customer_id AND s.unknown = :unknown)

-- name: lock_unsettled
SELECT c.* FROM billing_customer c
WHERE EXISTS (
    SELECT FROM billing_source s
    WHERE s.workspace_id = c.workspace_id AND s.system = c.system)
  AND (c.needs_reconcile OR c.account_id IS NULL AND NOT c.erased AND EXISTS (
    SELECT FROM external_id e
    WHERE e.workspace_id = c.workspace_id AND e.system = c.system
      AND e.external_id = c.customer_id))
ORDER BY c.workspace_id, c.system, c.customer_id LIMIT :limit
FOR UPDATE OF c SKIP LOCKED

-- name: unmatched
SELECT * FROM (
    SELECT 'customer' AS kind, customer_id AS object_id, customer_id, account_id, name, email,
           NULL AS status, 'no_account' AS reason, first_seen_at
    FROM billing_customer
    WHERE workspace_id = :workspace_id AND system = :system AND account_id IS NULL AND NOT erased
    UNION ALL
    SELECT 'invoice', invoice_id, customer_id, account_id, NULL, NULL,
           status, 'no_account', created_at
    FROM invoice
    WHERE workspace_id = :workspace_id AND system = :system AND account_id IS NULL
    UNION ALL
    SELECT 'subscription', subscription_id, customer_id, account_id, NULL, NULL,
           status, coalesce(unknown, 'no_account'), first_seen_at
    FROM billing_subscription
    WHERE workspace_id = :workspace_id AND system = :system
      AND (account_id IS NULL OR unknown IS NOT NULL)) AS u
WHERE (kind COLLATE "C", object_id) > (:kind, :object_id)
ORDER BY kind COLLATE "C", object_id LIMIT :limit

-- name: failed_payments
-- An invoice that was paid after ``at`` was owed in full until then.
SELECT account_id, currency, count(*) AS invoices,
       CAST(sum(amount_due_cents - CASE WHEN status = 'paid' THEN 0 ELSE amount_paid_cents END)
            AS bigint) AS amount_due_cents,
       min(failed_at) AS failed_since
FROM invoice
WHERE workspace_id = :workspace_id AND account_id = ANY(CAST(:account_ids AS text[]))
  AND failed_at < coalesce(CAST(:at AS timestamptz), 'infinity')
  AND (status IN ('open', 'uncollectible') OR paid_at >= :at)
GROUP BY account_id, currency ORDER BY account_id, currency

-- name: delete_events
DELETE FROM billing_event
WHERE workspace_id = :workspace_id AND (system, customer_id) IN (
    SELECT system, customer_id FROM billing_customer
    WHERE workspace_id = :workspace_id AND account_id = :account_id)

-- name: erase_customers
UPDATE billing_customer SET account_id = NULL, name = NULL, email = NULL, erased = true
WHERE workspace_id = :workspace_id AND account_id = :account_id

-- name: erase_person_in_events
UPDATE billing_event SET data = data - CAST(ARRAY['name', 'email'] AS text[])
WHERE workspace_id = :workspace_id AND kind = 'customer' AND (system, customer_id) IN (
    SELECT system, customer_id FROM billing_customer
    WHERE workspace_id = :workspace_id AND lower(email) = :email)

-- name: erase_person
UPDATE billing_customer SET name = NULL, email = NULL
WHERE workspace_id = :workspace_id AND lower(email) = :email
