ALTER TABLE batches DROP COLUMN forecast;
