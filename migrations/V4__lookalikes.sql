-- What a picture looks like: a perceptual hash of 64 bits, as a signed number. Null if it was not looked at yet, or has no
-- features to tell it by.
ALTER TABLE media ADD COLUMN lookalike BIGINT;

-- Pictures that were examined before are examined once more, for their look; a clip has none.
UPDATE media SET examined_at = NULL WHERE format <> 'mp4' AND format <> 'mov';
