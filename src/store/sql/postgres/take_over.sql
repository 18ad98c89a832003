-- Takes over an expired claim, or the row of a key that is forgotten.
-- $1 key, $2 token, $3 fingerprint, $4 lease, $5 grace, $6 time until the purge, in milliseconds,
-- $7 1 if the claim is not waited for until it is on disk, $8 1 if an expired claim may be taken over, else 0
--
-- No row comes back if the row is locked, gone, or has another owner by now.
WITH free AS (
    SELECT key, attempt, forgotten_at <= now() AS forgotten
    FROM idempotency_keys
    WHERE key = $1::text
      AND (forgotten_at <= now()
           OR ($8::bigint = 1 AND status IS NULL AND expires_at <= now() AND fingerprint IS NOT DISTINCT FROM $3::bytea))
    FOR UPDATE SKIP LOCKED
)
UPDATE idempotency_keys AS kept
SET token = $2::bytea,
    fingerprint = $3,
    attempt = CASE WHEN free.forgotten THEN 1 ELSE least(free.attempt::bigint + 1, 2147483647)::integer END,
    expires_at = now() + $4::bigint * interval '1 millisecond',
    forgotten_at = now() + ($4 + $5::bigint) * interval '1 millisecond',
    purge_at = now() + greatest($4 + $5, $6::bigint) * interval '1 millisecond',
    status = NULL,
    headers = NULL,
    body = NULL
FROM free
WHERE kept.key = free.key
RETURNING kept.attempt::bigint,
          CASE WHEN $7::bigint = 1 THEN set_config('synchronous_commit', 'off', true) END
