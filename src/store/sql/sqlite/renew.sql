-- Renews the leases of many claims, each from now on. Returns those that were renewed.
-- ?1 a JSON array of objects: key, token (hexadecimal), lease and grace (ms); ?2 now
UPDATE idempotency_keys
SET expires_at = ?2 + asked.lease * 1000,
    forgotten_at = ?2 + (asked.lease + asked.grace) * 1000
FROM (
    SELECT json_extract(value, '$.key') AS key, upper(json_extract(value, '$.token')) AS token,
           json_extract(value, '$.lease') AS lease, json_extract(value, '$.grace') AS grace
    FROM json_each(?1)
) AS asked
WHERE idempotency_keys.key = asked.key
  AND hex(idempotency_keys.token) = asked.token
  AND status IS NULL
  AND forgotten_at > ?2
RETURNING idempotency_keys.key, idempotency_keys.token, ?2
