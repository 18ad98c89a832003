-- Reports what a key has. It reads only, so it waits for no writer.
-- ?1 key, ?2 token, ?3 fingerprint, ?9 now
SELECT CASE
           WHEN kept.key IS NULL THEN 'vacant'
           WHEN kept.forgotten_at <= ?9 THEN 'forgotten'
           WHEN kept.status IS NOT NULL THEN 'finished'
           WHEN kept.token = ?2 THEN 'claimed'
           WHEN kept.fingerprint IS NOT ?3 THEN 'in flight'
           WHEN kept.expires_at <= ?9 THEN 'expired'
           ELSE 'in flight'
       END,
       kept.attempt, kept.token, kept.fingerprint, (kept.expires_at - ?9 + 999) / 1000,
       kept.status, kept.headers, kept.body
FROM (SELECT 1) LEFT JOIN idempotency_keys AS kept ON kept.key = ?1
