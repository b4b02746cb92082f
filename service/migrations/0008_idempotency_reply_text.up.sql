-- jsonb has no character zero, which the name of a refused file may contain; json keeps the answer as it was sent.
ALTER TABLE idempotency ALTER COLUMN reply TYPE json;
