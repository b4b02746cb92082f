ALTER TABLE batches DROP COLUMN traceparent;
ALTER TABLE images DROP COLUMN traceparent;
