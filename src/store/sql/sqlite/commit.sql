-- Replaces a claim by its record, as the last statement of a transaction of the application.
-- ?1 key, ?2 token, ?3 fingerprint, ?4 status, ?5 headers, ?6 body, ?7 retention in milliseconds, ?8 now
--
-- If the claim has another owner by now, or none, the token is null, which rolls the transaction back, whatever the
-- application makes of the error: that is looked at before the key is.
INSERT INTO idempotency_keys (key, token, fingerprint, attempt, expires_at, forgotten_at, status, headers, body)
VALUES (?1, (SELECT token FROM idempotency_keys WHERE key = ?1 AND token = ?2 AND status IS NULL),
        ?3, 1, ?8, ?8 + ?7 * 1000, ?4, ?5, ?6)
ON CONFLICT (key) DO UPDATE
SET fingerprint = excluded.fingerprint,
    forgotten_at = excluded.forgotten_at,
    status = excluded.status,
    headers = excluded.headers,
    body = excluded.body
RETURNING 1
