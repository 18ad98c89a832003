-- Replaces a claim by its record, as the last statement of a transaction of the application.
-- $1 key, $2 token, $3 fingerprint, $4 status, $5 headers, $6 body, $7 retention in milliseconds
--
-- If the claim has another owner by now, or none, it divides by zero: that ends the transaction on the server,
-- whatever the application makes of the error. No clock decides, only the lock of this row. The transaction may
-- have begun long ago, so now() would be too early.
WITH completed AS (
    UPDATE idempotency_keys
    SET fingerprint = $3::bytea,
        forgotten_at = clock_timestamp() + $7::bigint * interval '1 millisecond',
        status = $4::bigint::smallint,
        headers = $5::bytea,
        body = $6::bytea
    WHERE key = $1::text AND token = $2::bytea AND status IS NULL
    RETURNING 1
)
SELECT 1 / count(*) FROM completed
