ALTER TABLE exports DROP COLUMN attempts;
ALTER TABLE exports DROP COLUMN lease_until;
ALTER TABLE exports DROP COLUMN claim;
