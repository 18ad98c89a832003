-- The table of claims and records. Times are microseconds since 1970 by the clock of the machine.
--
-- A null token ends a transaction: that is how the statement of a commit undoes the rows of an owner that has lost its
-- claim.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key          TEXT PRIMARY KEY,                    -- the guard's prefix and 64 hexadecimal digits
    token        BLOB NOT NULL ON CONFLICT ROLLBACK,  -- of the owner, of a record too: a repeated completion knows itself by it
    fingerprint  BLOB,                                -- of the request, if requests are compared
    attempt      INTEGER NOT NULL,                    -- 1, and one more for each owner that crashed before
    expires_at   INTEGER NOT NULL,                    -- of the lease
    forgotten_at INTEGER NOT NULL,                    -- the key is vacant from then on, whether or not the row is purged
    status       INTEGER,                             -- of the response; null: a claim; 0: done, status unknown
    headers      BLOB,                                -- of the response; of one that is not recorded: its location
    body         BLOB                                 -- null: the response is not recorded
);

CREATE INDEX IF NOT EXISTS idempotency_keys_purge_at ON idempotency_keys (forgotten_at);
