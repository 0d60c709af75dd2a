-- Clips become media. What a clip's container tells is JSON text that only the program reads; null for a picture.

ALTER TABLE media ADD COLUMN clip TEXT;

-- Clips that were told of no use until now are looked at anew.
DELETE FROM files WHERE state = 'unusable' AND reason = 'clips are not supported yet; JPEG, PNG, GIF and WebP pictures are';
