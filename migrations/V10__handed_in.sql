-- What people hand in by the chat, until it lies in the library or cannot; forgotten after a day.

-- One sending, a file or an album of them, with the one question into which folder it is to go.
CREATE TABLE hand_ins (
    id TEXT PRIMARY KEY,
    team_id TEXT NOT NULL REFERENCES teams (id),
    person_id BIGINT NOT NULL,
    chat_id BIGINT NOT NULL,
    -- Telegram's name for the album, if it is one.
    album TEXT,
    received_at BIGINT NOT NULL,
    -- When the folder was chosen. Chosen without a category: cancelled.
    chosen_at BIGINT,
    category TEXT,
    -- The message that asks, and then tells what became of it; how often that changed, how far the chat has followed, and when
    -- it is tried again.
    question_id BIGINT,
    wanted BIGINT NOT NULL,
    shown BIGINT NOT NULL,
    -- How many questions may be there though no answer tells so.
    doubts BIGINT NOT NULL,
    retry_at BIGINT,
    UNIQUE (team_id, chat_id, album)
);

CREATE TABLE handed_files (
    hand_in_id TEXT NOT NULL REFERENCES hand_ins (id),
    message_id BIGINT NOT NULL,
    file_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('photo', 'picture', 'clip', 'file')),
    name TEXT,
    size_bytes BIGINT NOT NULL,
    caption TEXT,
    fate TEXT NOT NULL CHECK (fate IN ('waiting', 'landed', 'known', 'unfit')),
    -- Where it lies, which media it is, or why it cannot be taken.
    detail TEXT,
    -- How often it could not be fetched, and when it is tried again.
    tries BIGINT NOT NULL,
    retry_at BIGINT,
    PRIMARY KEY (hand_in_id, message_id)
);

-- Into which folder a person last handed something in.
ALTER TABLE people ADD COLUMN folder TEXT;
