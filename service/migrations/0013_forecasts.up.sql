-- What was said of a batch before it began, to be held against what it did; null where nothing was known.
ALTER TABLE batches ADD COLUMN forecast jsonb CHECK (jsonb_typeof(forecast) = 'object');
