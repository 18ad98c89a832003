-- The table of claims and records, version 1. Times are by the server's clock.
--
-- A completion changes no indexed column and finds room on the page of its claim, so it updates the row in
-- place (HOT): that is why purge_at and not forgotten_at is indexed, and why half of each page is left free.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key          text COLLATE "C" PRIMARY KEY,  -- the guard's prefix and 64 hexadecimal digits
    token        bytea NOT NULL,                -- of the owner, of a record too: a repeated completion knows itself by it
    fingerprint  bytea,                         -- of the request, if requests are compared
    attempt      integer NOT NULL,              -- 1, and one more for each owner that crashed before
    expires_at   timestamptz NOT NULL,          -- of the lease
    forgotten_at timestamptz NOT NULL,          -- the key is vacant from then on, whether or not the row is purged
    purge_at     timestamptz NOT NULL,          -- when the purge looks at the row; nothing is decided by it
    status       smallint,                      -- of the response; null: a claim; 0: done, status unknown
    headers      bytea,                         -- of the response; of one that is not recorded: its location
    body         bytea                          -- null: the response is not recorded
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX IF NOT EXISTS idempotency_keys_purge_at ON idempotency_keys (purge_at);

COMMENT ON TABLE idempotency_keys IS 'actix-web-idempotency, schema 1';
