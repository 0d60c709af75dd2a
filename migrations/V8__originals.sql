-- Whether the original of a story is to be sent to its chat.
ALTER TABLE stories ADD COLUMN original_wanted BIGINT NOT NULL DEFAULT 0;

-- What a bot has uploaded once it can send again by its id: of a content, in a form.
CREATE TABLE uploads (
    bot TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    form TEXT NOT NULL CHECK (form IN ('photo', 'video', 'animation', 'document')),
    file_id TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (bot, fingerprint, form)
);

CREATE INDEX uploads_by_time ON uploads (noted_at);
