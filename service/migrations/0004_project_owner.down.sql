ALTER TABLE projects DROP COLUMN created_by;
