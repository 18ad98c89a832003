-- Replaces a claim by its record, or writes the record of a key that is vacant.
-- ?1 key, ?2 token, ?3 fingerprint, ?4 status, ?5 headers, ?6 body, ?7 retention in milliseconds, ?9 now
--
-- No row comes back if the key has another owner by now. A completion that is repeated finds its record, and leaves it.
INSERT INTO idempotency_keys AS kept (key, token, fingerprint, attempt, expires_at, forgotten_at, status, headers, body)
VALUES (?1, ?2, ?3, 1, ?9, ?9 + ?7 * 1000, ?4, ?5, ?6)
ON CONFLICT (key) DO UPDATE
SET (token, fingerprint, forgotten_at, status, headers, body) = (
    SELECT excluded.token, excluded.fingerprint, excluded.forgotten_at, excluded.status, excluded.headers, excluded.body
    WHERE kept.forgotten_at <= ?9 OR kept.status IS NULL
    UNION ALL
    SELECT kept.token, kept.fingerprint, kept.forgotten_at, kept.status, kept.headers, kept.body
    LIMIT 1
)
WHERE kept.forgotten_at <= ?9 OR kept.token = excluded.token
RETURNING 'done'
