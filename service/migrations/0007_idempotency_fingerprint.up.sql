-- SHA-256 of what the first request under a key carried: another body under the same key is an error of the client.
ALTER TABLE idempotency ADD COLUMN fingerprint bytea;
