-- Replaces a claim by its record, or writes the record of a key that is vacant.
-- $1 key, $2 token, $3 fingerprint, $4 status, $5 headers, $6 body, $7 retention, $8 time until the purge, in milliseconds
--
-- 'again': the row is locked, or came or went meanwhile.
WITH seen AS MATERIALIZED (
    SELECT token, status, forgotten_at <= now() AS forgotten FROM idempotency_keys WHERE key = $1::text
), unlocked AS (
    SELECT key
    FROM idempotency_keys
    WHERE key = $1 AND (forgotten_at <= now() OR (token = $2::bytea AND status IS NULL))
    FOR UPDATE SKIP LOCKED
), completed AS (
    UPDATE idempotency_keys AS kept
    SET token = $2,
        fingerprint = $3::bytea,
        forgotten_at = now() + $7::bigint * interval '1 millisecond',
        status = $4::bigint::smallint,
        headers = $5::bytea,
        body = $6::bytea
    FROM unlocked
    WHERE kept.key = unlocked.key
    RETURNING 1
), written AS (
    INSERT INTO idempotency_keys (key, token, fingerprint, attempt, expires_at, forgotten_at, purge_at, status, headers, body)
    SELECT $1, $2, $3, 1, now(),
           now() + $7 * interval '1 millisecond',
           now() + greatest($7, $8::bigint) * interval '1 millisecond',
           $4::bigint::smallint, $5, $6
    WHERE NOT EXISTS (SELECT FROM seen)
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT CASE
           WHEN EXISTS (SELECT FROM completed) OR EXISTS (SELECT FROM written) THEN 'done'
           WHEN EXISTS (SELECT FROM seen WHERE token = $2 AND status IS NOT NULL AND NOT forgotten) THEN 'done'
           WHEN EXISTS (SELECT FROM seen WHERE NOT forgotten AND (token <> $2 OR status IS NOT NULL)) THEN 'lost'
           ELSE 'again'
       END
