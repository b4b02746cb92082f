ALTER TABLE batches DROP COLUMN reused;
