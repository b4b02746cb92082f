-- images that were answered by stored results of equal bytes, model and parameters, without an inference
ALTER TABLE batches ADD COLUMN reused integer NOT NULL DEFAULT 0;
