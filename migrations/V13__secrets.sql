-- What must be used and never shown, encrypted with a key that is not in the database.
CREATE TABLE secrets (
    team_id TEXT NOT NULL REFERENCES teams (id),
    name TEXT NOT NULL,
    -- Which key it was encrypted with, by its fingerprint.
    key_id TEXT NOT NULL,
    -- The nonce and what follows from it, in base64; bound to team and name.
    sealed TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (team_id, name)
);
