-- A story is announced in a few words, and its picture is put into that message: until then it is text, without buttons.
ALTER TABLE messages ADD COLUMN is_announcement BIGINT NOT NULL DEFAULT 0;

-- The answer to the picture may be lost while people see it: a press on it is the proof.
INSERT INTO story_transitions (from_state, to_state) VALUES ('retrying', 'awaiting');
