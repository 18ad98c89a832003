-- Runs at every start. Two processes that create the same table at the same moment would disturb each other.
SELECT pg_advisory_xact_lock(8252);

CREATE TABLE IF NOT EXISTS accounts (
    id text PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
);

CREATE TABLE IF NOT EXISTS payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    amount bigint NOT NULL,
    recipient text NOT NULL
);

-- Mails to be sent: a process of yours takes them one by one and deletes each once it is sent.
CREATE TABLE IF NOT EXISTS outbox (
    payment bigint PRIMARY KEY REFERENCES payments (id),
    mail text NOT NULL
);

-- An account to try it with.
INSERT INTO accounts VALUES ('ann', 1000) ON CONFLICT DO NOTHING;
