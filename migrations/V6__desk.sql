-- The review message, complete: who is on a story, when it comes up again, what it showed before, and what may be taken back.

-- Who is on it ("I'm on it"), since when.
ALTER TABLE stories ADD COLUMN claimed_by BIGINT;
ALTER TABLE stories ADD COLUMN claimed_name TEXT;
ALTER TABLE stories ADD COLUMN claimed_at BIGINT;
-- When it comes up again, if somebody put it off, and who did.
ALTER TABLE stories ADD COLUMN later_at BIGINT;
ALTER TABLE stories ADD COLUMN later_by TEXT;
-- When the team was reminded of it.
ALTER TABLE stories ADD COLUMN reminded_at BIGINT;
-- How often it was given another media, and when last: a button from before means the media from before.
ALTER TABLE stories ADD COLUMN swaps BIGINT NOT NULL DEFAULT 0;
ALTER TABLE stories ADD COLUMN swapped_at BIGINT;
-- Who took its outcome back, if somebody did.
ALTER TABLE stories ADD COLUMN undone_by TEXT;
-- When its original was last sent to the chat.
ALTER TABLE stories ADD COLUMN original_at BIGINT;

-- A reminder is taken out of the chat when its story has ended.
ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'story' CHECK (kind IN ('story', 'reminder'));
-- Which of the story's media it shows: after how many swaps.
ALTER TABLE messages ADD COLUMN swaps BIGINT NOT NULL DEFAULT 0;

-- An outcome may be taken back for a minute, by another row: part 2 of a story's history takes part 1 back, part 3 is its next
-- outcome, and so on. Never updated, never deleted.
ALTER TABLE history RENAME TO history_before;
DROP INDEX history_by_end;
DROP INDEX history_of_media;

INSERT INTO story_transitions (from_state, to_state) VALUES ('ended', 'awaiting');
INSERT INTO story_endings (from_state, outcome) VALUES
    ('posted', 'withdrawn'),
    ('skipped', 'withdrawn'),
    ('rejected', 'withdrawn');

CREATE TABLE history (
    story_id TEXT NOT NULL,
    part BIGINT NOT NULL,
    team_id TEXT NOT NULL REFERENCES teams (id),
    -- Null for a slot that never had a story.
    number BIGINT,
    media_id TEXT REFERENCES media (id),
    slot_date TEXT,
    slot_ordinal BIGINT,
    turn TEXT,
    due_at BIGINT NOT NULL,
    sent_at BIGINT,
    ended_at BIGINT NOT NULL,
    ended_from TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    person_id BIGINT,
    person_name TEXT,
    -- The media as it was: category, path and metadata.
    snapshot TEXT NOT NULL,
    PRIMARY KEY (story_id, part),
    FOREIGN KEY (ended_from, outcome) REFERENCES story_endings (from_state, outcome),
    CHECK ((outcome = 'withdrawn') = (part % 2 = 0)),
    UNIQUE (team_id, number, part),
    UNIQUE (team_id, slot_date, slot_ordinal, part)
);

INSERT INTO history (story_id, part, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, sent_at, ended_at,
    ended_from, outcome, reason, person_id, person_name, snapshot)
SELECT story_id, 1, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, sent_at, ended_at,
    ended_from, outcome, reason, person_id, person_name, snapshot
FROM history_before;

DROP TABLE history_before;

CREATE INDEX history_by_end ON history (team_id, ended_at);
CREATE INDEX history_of_media ON history (media_id);

-- What an outcome changed beside the history, for as long as it may be taken back.
CREATE TABLE undos (
    story_id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    until_at BIGINT NOT NULL,
    -- The lock that it put on the media.
    lock_id TEXT,
    -- When the media was posted before.
    last_posted_at BIGINT,
    -- Of the story's row, what the history does not keep.
    requested_by TEXT,
    attempt BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    swaps BIGINT NOT NULL,
    swapped_at BIGINT
);
