-- What a team is told of its own accord: the digest of a day (its pictures, and its text) and the summary of a week. One row a
-- kind, so that nothing is told twice, whatever restarts and however the clock is set.
CREATE TABLE bulletins (
    team_id TEXT NOT NULL REFERENCES teams (id),
    kind TEXT NOT NULL CHECK (kind IN ('pictures', 'day', 'week')),
    -- The latest local day on which it was told, or may have been.
    day TEXT NOT NULL,
    -- Its message, for as long as it is to follow the records, and what that shows.
    chat_id BIGINT,
    message_id BIGINT,
    shown TEXT,
    PRIMARY KEY (team_id, kind)
);

-- Who gave a story another media last.
ALTER TABLE stories ADD COLUMN swapped_by TEXT;
