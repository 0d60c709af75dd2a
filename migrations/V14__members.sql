-- Since when a person is not in the team's chat any more. They may do nothing then; what they were is kept for when they come back.
ALTER TABLE people ADD COLUMN left_at BIGINT;
