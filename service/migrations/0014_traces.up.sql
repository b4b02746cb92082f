-- Where what follows belongs in a trace (W3C Trace Context): the request that brought the image, and the one that started the batch.
-- Null for all that is not traced, which is everything by default.
ALTER TABLE images ADD COLUMN traceparent text;
ALTER TABLE batches ADD COLUMN traceparent text;
