-- Found without reading all media, at every scan: those to examine again because what was wrong with them is mended.
CREATE INDEX media_flawed ON media (team_id, errors) WHERE errors <> '[]';
