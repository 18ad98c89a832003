-- Claims a vacant key, or reports what it has, in one statement.
-- $1 key, $2 token, $3 fingerprint, $4 lease, $5 grace, $6 time until the purge, in milliseconds,
-- $7 1 if the claim is not waited for until it is on disk, else 0
--
-- It reads first, and inserts only if there is no row: a replay writes nothing. An insert alone would wait
-- for a transaction that is just completing the key. No row comes back if somebody else inserts meanwhile.
WITH seen AS MATERIALIZED (
    SELECT * FROM idempotency_keys WHERE key = $1::text
), claimed AS (
    INSERT INTO idempotency_keys (key, token, fingerprint, attempt, expires_at, forgotten_at, purge_at)
    SELECT $1, $2::bytea, $3::bytea, 1,
           now() + $4::bigint * interval '1 millisecond',
           now() + ($4 + $5::bigint) * interval '1 millisecond',
           now() + greatest($4 + $5, $6::bigint) * interval '1 millisecond'
    WHERE NOT EXISTS (SELECT FROM seen)
    ON CONFLICT DO NOTHING
    RETURNING attempt
)
SELECT 'claimed', attempt::bigint, NULL::bytea, NULL::bytea, NULL::bigint, NULL::bigint, NULL::bytea, NULL::bytea
FROM claimed
WHERE CASE WHEN $7::bigint = 1 THEN set_config('synchronous_commit', 'off', true) IS NOT NULL ELSE true END
UNION ALL
SELECT CASE
           WHEN forgotten_at <= now() THEN 'forgotten'
           WHEN status IS NOT NULL THEN 'finished'
           WHEN token = $2 THEN 'claimed'
           WHEN fingerprint IS DISTINCT FROM $3 THEN 'in flight'
           WHEN expires_at <= now() THEN 'expired'
           ELSE 'in flight'
       END,
       attempt::bigint, token, fingerprint,
       ceil(extract(epoch FROM expires_at - now()) * 1000)::bigint,
       status::bigint, headers, body
FROM seen
