-- What a picture looks like: a perceptual hash of 64 bits, as a signed number. Null if it has no features to tell it by.
ALTER TABLE media ADD COLUMN lookalike BIGINT;
-- When its look was taken. Media that were examined before are examined once more for it, and meanwhile stay what they are.
ALTER TABLE media ADD COLUMN looked_at BIGINT;

DROP INDEX media_to_examine;
CREATE INDEX media_to_examine ON media (team_id, indexed_at) WHERE looked_at IS NULL AND missing_since IS NULL;

-- HEIC was of no use before.
DELETE FROM files WHERE state = 'unusable' AND substr(reason, 1, 21) = 'HEIC is not supported';
