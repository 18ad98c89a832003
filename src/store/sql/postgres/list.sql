-- Returns a page of keys and what they have, without headers and bodies.
-- $1 prefix, $2 the key to begin behind, $3 a text above all keys with this prefix, $4 how many at most
SELECT key, fingerprint, attempt::bigint,
       ceil(extract(epoch FROM expires_at - now()) * 1000)::bigint,
       ceil(extract(epoch FROM forgotten_at - now()) * 1000)::bigint,
       (expires_at = forgotten_at)::integer::bigint,
       status::bigint,
       (octet_length(headers) + octet_length(body))::bigint
FROM idempotency_keys
WHERE key > $2::text AND key >= $1::text AND key <= $3::text AND starts_with(key, $1)
ORDER BY key
LIMIT $4::bigint
