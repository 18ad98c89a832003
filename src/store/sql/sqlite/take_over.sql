-- Claims a vacant key, or takes over an expired claim or the row of a key that is forgotten.
-- ?1 key, ?2 token, ?3 fingerprint, ?4 lease, ?5 grace, in milliseconds, ?8 1 if an expired claim may be taken over,
-- ?9 now
--
-- No row comes back if the key has another owner by now.
INSERT INTO idempotency_keys AS kept (key, token, fingerprint, attempt, expires_at, forgotten_at)
VALUES (?1, ?2, ?3, 1, ?9 + ?4 * 1000, ?9 + (?4 + ?5) * 1000)
ON CONFLICT (key) DO UPDATE
SET token = excluded.token,
    fingerprint = excluded.fingerprint,
    attempt = CASE WHEN kept.forgotten_at <= ?9 THEN 1 ELSE min(kept.attempt + 1, 2147483647) END,
    expires_at = excluded.expires_at,
    forgotten_at = excluded.forgotten_at,
    status = NULL,
    headers = NULL,
    body = NULL
WHERE kept.forgotten_at <= ?9
   OR (?8 = 1 AND kept.status IS NULL AND kept.expires_at <= ?9 AND kept.fingerprint IS excluded.fingerprint)
RETURNING attempt
