ALTER TABLE results DROP COLUMN warnings;
