-- Returns a page of keys and what they have, without headers and bodies.
-- ?1 prefix, ?2 the key to begin behind, ?3 a text above all keys with this prefix, ?4 how many at most, ?5 now
SELECT key, fingerprint, attempt,
       (expires_at - ?5 + 999) / 1000,
       (forgotten_at - ?5 + 999) / 1000,
       expires_at = forgotten_at,
       status,
       length(headers) + length(body)
FROM idempotency_keys
WHERE key > ?2 AND key >= ?1 AND key <= ?3 AND substr(key, 1, length(?1)) = ?1
ORDER BY key
LIMIT ?4
