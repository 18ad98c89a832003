-- Runs at every start. Two that create the same table at the same moment disturb each other.
SELECT pg_advisory_xact_lock(8252);

CREATE TABLE IF NOT EXISTS accounts (
    id text PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
);

-- One row per key, for a refused payment too: its fence has to stand somewhere.
CREATE TABLE IF NOT EXISTS payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    idempotency_key text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    recipient text NOT NULL,
    fence bigint NOT NULL,
    paid boolean NOT NULL DEFAULT false,
    UNIQUE (account, idempotency_key)
);

-- Somebody to try it with.
INSERT INTO accounts VALUES ('ann', 1000) ON CONFLICT DO NOTHING;
