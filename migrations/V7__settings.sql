-- What each team decided: one source of truth, changed in the chat and in the terminal. The file of settings gives the first
-- values, and a change made there later is a decision like any other.
CREATE TABLE settings (
    team_id TEXT NOT NULL REFERENCES teams (id),
    name TEXT NOT NULL,
    -- As it is written in the file, without quotes; empty: not set.
    value TEXT NOT NULL,
    -- What the file said when the service last read it; null: the file does not speak of this team.
    file_value TEXT,
    set_at BIGINT NOT NULL,
    -- Null: by the file.
    set_by TEXT,
    PRIMARY KEY (team_id, name)
);

-- A team that was removed keeps its history; nothing is done for it any more.
ALTER TABLE teams ADD COLUMN removed_at BIGINT;
