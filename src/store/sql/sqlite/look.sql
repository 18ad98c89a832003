-- Returns which of many claims still have their key.
-- ?1 a JSON array of objects: n (a number to tell them apart), key, token (hexadecimal); ?2 now
SELECT json_extract(asked.value, '$.n')
FROM json_each(?1) AS asked
JOIN idempotency_keys AS kept ON kept.key = json_extract(asked.value, '$.key')
WHERE hex(kept.token) = upper(json_extract(asked.value, '$.token')) AND kept.status IS NULL AND kept.expires_at > ?2
