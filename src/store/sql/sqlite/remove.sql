-- Makes a key vacant: of one owner or of any, and a record only on request. No row comes back if there is none.
-- ?1 key, ?2 token (null: of any owner), ?3 1 if a record goes too, ?4 now
DELETE FROM idempotency_keys
WHERE key = ?1 AND (?2 IS NULL OR token = ?2) AND (status IS NULL OR ?3 = 1) AND forgotten_at > ?4
RETURNING 'removed'
