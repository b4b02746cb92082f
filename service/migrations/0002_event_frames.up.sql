-- A frame without events (a batch was paused) has no seq of its own: frames are counted apart from events.
ALTER TABLE event_streams ADD COLUMN frame_no bigint NOT NULL DEFAULT 0;
ALTER TABLE event_log ADD COLUMN frame_no bigint NOT NULL;
ALTER TABLE event_log DROP CONSTRAINT event_log_pkey;
ALTER TABLE event_log ADD PRIMARY KEY (project_id, frame_no);
CREATE INDEX event_log_by_seq ON event_log (project_id, to_seq);

-- A row without an image says: the state of this batch changed.
ALTER TABLE event_outbox ALTER COLUMN image_id DROP NOT NULL;
ALTER TABLE event_outbox ALTER COLUMN status DROP NOT NULL;
ALTER TABLE event_outbox ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- Whoever writes to an outbox wakes its reader, at commit and once a transaction.
CREATE FUNCTION wake_reader() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END $$;
CREATE TRIGGER event_outbox_wake AFTER INSERT ON event_outbox
  FOR EACH STATEMENT EXECUTE FUNCTION wake_reader('segbench_events');
CREATE TRIGGER job_outbox_wake AFTER INSERT ON job_outbox
  FOR EACH STATEMENT EXECUTE FUNCTION wake_reader('segbench_jobs');

-- Images finished by inference, by second: what the rate and the ETA are computed from.
CREATE TABLE batch_progress (
  batch_id uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
  second bigint NOT NULL,
  done integer NOT NULL,
  PRIMARY KEY (batch_id, second)
);

-- Failures before a person resumed the batch do not pause it again.
ALTER TABLE batches ADD COLUMN resumed_at timestamptz;

-- The relay reads the outbox batch by batch, so that a paused one is not even looked at.
CREATE INDEX job_outbox_batch_order ON job_outbox (batch_id, id);
DROP INDEX job_outbox_by_batch;
DROP INDEX job_outbox_order;
