-- name: copy_history
COPY health_history (
    workspace_id, account_id, as_of, restatement, change, score, band, status, coverage, mrr_cents,
    details, computed_at
) FROM STDIN
