-- A story of which nobody knows whether it ever arrived, and on which nobody pressed: it was missed, and did not expire.
INSERT INTO story_endings (from_state, outcome) VALUES ('unconfirmed', 'missed');
-- What a clock that was wrong called missed is taken back by a row of its own, like any outcome.
INSERT INTO story_endings (from_state, outcome) VALUES ('missed', 'withdrawn');
