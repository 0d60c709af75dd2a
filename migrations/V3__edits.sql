-- What people say of a media by hand, apart from what its files say: a field that is there wins over the files, one that is
-- there and null says that there is none. JSON text that only the program reads; null: nothing was said by hand.
ALTER TABLE media ADD COLUMN edits TEXT;

-- What the files say of a media that was edited, for the day the edit is taken back; null where nothing was edited. The
-- columns of V1 hold what counts of both, so whoever chooses or shows a media reads one truth.
ALTER TABLE media ADD COLUMN unedited TEXT;

-- Who changed what, when: only added to, and forgotten after two years.
CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    done_at BIGINT NOT NULL,
    -- A person's name as it was then, or the login name of whoever sat at the terminal.
    done_by TEXT NOT NULL,
    -- Null: at the terminal.
    person_id BIGINT,
    subject TEXT NOT NULL CHECK (subject IN ('media', 'lock', 'mix', 'person', 'team', 'story', 'clock')),
    -- The id of the row it is about; a lock is of its media.
    subject_id TEXT NOT NULL,
    -- How people called it then.
    subject_name TEXT NOT NULL,
    action TEXT NOT NULL,
    -- JSON.
    value_before TEXT NOT NULL,
    value_after TEXT NOT NULL
);

CREATE INDEX audit_log_by_time ON audit_log (team_id, done_at);
CREATE INDEX audit_log_of_subject ON audit_log (subject_id, done_at);
