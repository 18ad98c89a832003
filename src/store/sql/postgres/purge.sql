-- Removes rows whose keys are forgotten. $1 how many it looks at. Returns for each of them 1 if it is removed.
--
-- A row that is looked at too early, because its record is kept for longer than was known when it was claimed, gets
-- the time at which it is looked at again.
WITH due AS (
    SELECT key, forgotten_at
    FROM idempotency_keys
    WHERE purge_at <= now()
    ORDER BY purge_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM idempotency_keys AS kept USING due
    WHERE kept.key = due.key AND due.forgotten_at <= now()
), postponed AS (
    UPDATE idempotency_keys AS kept SET purge_at = due.forgotten_at
    FROM due
    WHERE kept.key = due.key AND due.forgotten_at > now()
)
SELECT (forgotten_at <= now())::integer::bigint FROM due
