-- The core. One text for SQLite and PostgreSQL. Ids are UUIDs made by the program; moments are Unix milliseconds, UTC;
-- shares are parts per million; lists and maps are JSON text that only the program reads.

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    paused_at BIGINT,
    paused_by TEXT,
    -- The number of the next story; a number is never given twice.
    next_number BIGINT NOT NULL,
    -- Every slot up to this moment has its story or its end.
    slots_settled_until BIGINT NOT NULL,
    -- The last automatic delivery, for the spacing.
    last_sent_at BIGINT,
    -- What the plan was drawn with; a different stamp has it drawn again.
    plan_stamp TEXT NOT NULL
);

CREATE TABLE media (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    fingerprint TEXT NOT NULL,
    format TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    width_px BIGINT NOT NULL,
    height_px BIGINT NOT NULL,
    category TEXT NOT NULL,
    last_path TEXT NOT NULL,
    title TEXT,
    link_url TEXT,
    caption TEXT,
    tags TEXT NOT NULL,
    requires_interaction BIGINT,
    custom_metadata TEXT NOT NULL,
    errors TEXT NOT NULL,
    warnings TEXT NOT NULL,
    indexed_at BIGINT NOT NULL,
    examined_at BIGINT,
    missing_since BIGINT,
    posted_count BIGINT NOT NULL,
    last_posted_at BIGINT,
    skipped_count BIGINT NOT NULL,
    UNIQUE (team_id, fingerprint)
);

CREATE INDEX media_in_order_of_choice ON media (team_id, category, last_posted_at, posted_count, fingerprint);
CREATE INDEX media_to_examine ON media (team_id, indexed_at) WHERE examined_at IS NULL AND missing_since IS NULL;

CREATE TABLE files (
    team_id TEXT NOT NULL REFERENCES teams (id),
    path TEXT NOT NULL,
    media_id TEXT REFERENCES media (id),
    size_bytes BIGINT NOT NULL,
    modified_ns BIGINT NOT NULL,
    changed_ns BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    metadata_stamp TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('whole', 'waiting', 'unusable')),
    reason TEXT,
    state_since BIGINT NOT NULL,
    PRIMARY KEY (team_id, path)
);

CREATE INDEX files_of_media ON files (media_id);
CREATE INDEX files_in_view ON files (team_id, path) WHERE state <> 'whole';

CREATE TABLE locks (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    media_id TEXT NOT NULL REFERENCES media (id),
    kind TEXT NOT NULL CHECK (kind IN ('recent_post', 'skip', 'manual_hold', 'seasonal', 'rejected')),
    -- Null: for ever.
    locked_until BIGINT,
    locked_at BIGINT NOT NULL,
    locked_by TEXT,
    reason TEXT
);

CREATE INDEX locks_of_media ON locks (media_id);

-- The life of a story. The pair of foreign keys below has the database itself refuse a change of state that is not here.
CREATE TABLE story_transitions (
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
);

INSERT INTO story_transitions (from_state, to_state) VALUES
    ('new', 'planned'),
    ('planned', 'sending'),
    ('retrying', 'sending'),
    ('unconfirmed', 'sending'),
    ('sending', 'retrying'),
    ('sending', 'awaiting'),
    ('sending', 'unconfirmed'),
    ('unconfirmed', 'awaiting');

CREATE TABLE story_endings (
    from_state TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (from_state, outcome)
);

INSERT INTO story_endings (from_state, outcome) VALUES
    ('new', 'missed'),
    ('planned', 'missed'),
    ('planned', 'cancelled'),
    ('retrying', 'missed'),
    ('retrying', 'cancelled'),
    ('sending', 'missed'),
    ('sending', 'failed'),
    ('sending', 'cancelled'),
    ('awaiting', 'posted'),
    ('awaiting', 'skipped'),
    ('awaiting', 'rejected'),
    ('awaiting', 'expired'),
    ('awaiting', 'cancelled'),
    ('unconfirmed', 'expired'),
    ('unconfirmed', 'cancelled');

CREATE TABLE stories (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    number BIGINT NOT NULL,
    media_id TEXT NOT NULL REFERENCES media (id),
    -- Null when a person asked for it.
    slot_date TEXT,
    slot_ordinal BIGINT,
    -- The category whose turn it was.
    turn TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    requested_by TEXT,
    state TEXT NOT NULL,
    previous_state TEXT NOT NULL,
    state_since BIGINT NOT NULL,
    -- Deliveries begun; each is written before its call.
    attempt BIGINT NOT NULL,
    -- Deliveries in a row that did not leave the box.
    failures BIGINT NOT NULL,
    -- Messages that are, or may be, in the chat.
    messages BIGINT NOT NULL,
    -- When to send again, in the states that do; null: never.
    retry_at BIGINT,
    sent_at BIGINT,
    reject_asked_at BIGINT,
    offered_again_at BIGINT,
    reason TEXT,
    FOREIGN KEY (previous_state, state) REFERENCES story_transitions (from_state, to_state),
    UNIQUE (team_id, media_id),
    UNIQUE (team_id, number),
    UNIQUE (team_id, slot_date, slot_ordinal)
);

CREATE INDEX stories_by_due ON stories (team_id, due_at);

-- Never updated, never deleted.
CREATE TABLE history (
    story_id TEXT PRIMARY KEY,
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
    FOREIGN KEY (ended_from, outcome) REFERENCES story_endings (from_state, outcome),
    UNIQUE (team_id, number),
    UNIQUE (team_id, slot_date, slot_ordinal)
);

CREATE INDEX history_by_end ON history (team_id, ended_at);
CREATE INDEX history_of_media ON history (media_id);

-- Messages in a chat that show a story. What they show follows what is wanted, until they are equal or the message is gone.
CREATE TABLE messages (
    chat_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    team_id TEXT NOT NULL REFERENCES teams (id),
    story_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    wanted BIGINT NOT NULL,
    shown BIGINT NOT NULL,
    retry_at BIGINT,
    failures BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (chat_id, message_id)
);

CREATE INDEX messages_of_story ON messages (story_id);
CREATE INDEX messages_behind ON messages (team_id, retry_at) WHERE wanted > shown;

CREATE TABLE people (
    team_id TEXT NOT NULL REFERENCES teams (id),
    person_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    username TEXT,
    role TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    joined_at BIGINT NOT NULL,
    deactivated_at BIGINT,
    posted_count BIGINT NOT NULL,
    skipped_count BIGINT NOT NULL,
    rejected_count BIGINT NOT NULL,
    PRIMARY KEY (team_id, person_id)
);

CREATE TABLE category_mix (
    team_id TEXT NOT NULL REFERENCES teams (id),
    category TEXT NOT NULL,
    share_ppm BIGINT NOT NULL CHECK (share_ppm BETWEEN 0 AND 1000000),
    set_at BIGINT NOT NULL,
    set_by TEXT,
    -- Null: in force.
    replaced_at BIGINT,
    PRIMARY KEY (team_id, set_at, category)
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    job TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    error TEXT,
    detail TEXT NOT NULL
);

CREATE INDEX runs_by_start ON runs (team_id, started_at);

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    topic TEXT NOT NULL,
    text TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    told_at BIGINT,
    resolved_at BIGINT,
    resolution_told_at BIGINT
);

CREATE UNIQUE INDEX alerts_open ON alerts (team_id, topic) WHERE resolved_at IS NULL;

-- Updates from Telegram whose effect is committed: each takes effect once, whatever is delivered again.
CREATE TABLE telegram_updates (
    update_id BIGINT PRIMARY KEY,
    taken_at BIGINT NOT NULL
);

CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
