-- Renews the leases of many claims, each from now on.
-- $1 a JSON array of objects: key, token (hexadecimal), lease and grace (ms)
--
-- It never waits for a row that its owner's transaction has locked to complete it: such a claim still has its
-- owner, and nobody can take it over meanwhile.
WITH asked AS MATERIALIZED (
    SELECT key, decode(token, 'hex') AS token, lease, grace
    FROM json_to_recordset($1::json) AS asked(key text, token text, lease bigint, grace bigint)
), held AS MATERIALIZED (
    SELECT key, token
    FROM asked JOIN idempotency_keys AS kept USING (key, token)
    WHERE kept.status IS NULL AND kept.forgotten_at > now()
), unlocked AS (
    SELECT kept.key, asked.lease, asked.grace
    FROM asked JOIN idempotency_keys AS kept USING (key, token)
    WHERE kept.status IS NULL AND kept.forgotten_at > now()
    ORDER BY kept.key
    FOR UPDATE OF kept SKIP LOCKED
), renewed AS (
    UPDATE idempotency_keys AS kept
    SET expires_at = now() + unlocked.lease * interval '1 millisecond',
        forgotten_at = now() + (unlocked.lease + unlocked.grace) * interval '1 millisecond'
    FROM unlocked
    WHERE kept.key = unlocked.key
)
SELECT key, token, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM held
