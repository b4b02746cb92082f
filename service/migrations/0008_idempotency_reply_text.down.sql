DELETE FROM idempotency WHERE reply::text LIKE '%\\u0000%';
ALTER TABLE idempotency ALTER COLUMN reply TYPE jsonb;
