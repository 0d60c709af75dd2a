-- Full looks at a media that were begun and came to no good end: a file that takes the service or a converter down is not tried
-- at each start.
CREATE TABLE attempts (
    media_id TEXT PRIMARY KEY REFERENCES media (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    count BIGINT NOT NULL,
    -- 1 while the last of them is at work, and after a crash.
    is_begun BIGINT NOT NULL,
    -- By which versions of this program and of the converter.
    tried_by TEXT NOT NULL
);
