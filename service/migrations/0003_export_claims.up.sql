-- One process writes an export. The claim fences it: whoever lost it can neither place the file nor change the row.
ALTER TABLE exports ADD COLUMN claim uuid;
-- A claim not renewed by then belongs to a process that died.
ALTER TABLE exports ADD COLUMN lease_until timestamptz;
ALTER TABLE exports ADD COLUMN attempts integer NOT NULL DEFAULT 0;
