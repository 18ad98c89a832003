-- Makes a key vacant: of one owner or of any, and a record only on request.
-- $1 key, $2 token (null: of any owner), $3 1 if a record goes too
--
-- 'locked': a transaction has locked the row, most likely its owner's, to complete it.
WITH there AS MATERIALIZED (
    SELECT FROM idempotency_keys
    WHERE key = $1::text AND ($2::bytea IS NULL OR token = $2) AND (status IS NULL OR $3::bigint = 1) AND forgotten_at > now()
), unlocked AS (
    SELECT key
    FROM idempotency_keys
    WHERE key = $1 AND ($2::bytea IS NULL OR token = $2) AND (status IS NULL OR $3 = 1) AND forgotten_at > now()
    FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM idempotency_keys AS kept USING unlocked WHERE kept.key = unlocked.key RETURNING 1
)
SELECT CASE
           WHEN EXISTS (SELECT FROM removed) THEN 'removed'
           WHEN EXISTS (SELECT FROM there) THEN 'locked'
           ELSE 'absent'
       END
