-- Returns which of many claims still have their key.
-- $1 a JSON array of objects: n (a number to tell them apart), key, token (hexadecimal)
SELECT asked.n, ceil(extract(epoch FROM kept.expires_at - now()) * 1000)::bigint
FROM json_to_recordset($1::json) AS asked(n bigint, key text, token text)
JOIN idempotency_keys AS kept ON kept.key = asked.key AND kept.token = decode(asked.token, 'hex')
WHERE kept.status IS NULL AND kept.expires_at > now()
