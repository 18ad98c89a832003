-- Removes rows whose keys are forgotten, and returns 1 for each. ?1 how many it looks at, ?2 now
DELETE FROM idempotency_keys
WHERE key IN (SELECT key FROM idempotency_keys WHERE forgotten_at <= ?2 ORDER BY forgotten_at LIMIT ?1)
RETURNING 1
