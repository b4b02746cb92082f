DROP TRIGGER batches_known_webhook ON batches;
DROP TRIGGER batches_ended_webhook ON batches;
DROP FUNCTION note_webhook();
DROP TABLE webhook_standing;
DROP TABLE webhook_outbox;
ALTER TABLE batches DROP COLUMN webhook;
