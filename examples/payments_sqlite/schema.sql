CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY,
    balance INTEGER NOT NULL CHECK (balance >= 0)
);

CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    recipient TEXT NOT NULL
);

-- An account to try it with.
INSERT OR IGNORE INTO accounts VALUES ('ann', 1000);
