-- For which of their teams a person is answered in private: the one that they chose last.
ALTER TABLE people ADD COLUMN chosen_at BIGINT;

-- Originals leave without telling where they were taken; those that were uploaded before did not.
DELETE FROM uploads WHERE form = 'document';
