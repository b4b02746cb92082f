-- Who is told of the batch's end, beside the operator's target.
ALTER TABLE batches ADD COLUMN webhook text;

-- What somebody must still be told; written in the transaction that made it true, deleted once it was taken.
CREATE TABLE webhook_outbox (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  url text NOT NULL,
  type text NOT NULL,
  -- what it tells of, for the audit; the body stays as it was then, whatever becomes of the batch
  tenant_id uuid NOT NULL,
  target_type text NOT NULL,
  target_id text,
  body text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX webhook_outbox_due ON webhook_outbox (due_at, id);
-- The operator's target, while the leading relay has one.
CREATE TABLE webhook_standing (url text PRIMARY KEY);
ALTER TABLE webhook_outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_standing ENABLE ROW LEVEL SECURITY;

-- A trigger, so that no way in which a batch ends can forget it. As its owner: who starts or cancels a batch may not read these tables.
CREATE FUNCTION note_webhook() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO webhook_outbox (url, type, tenant_id, target_type, target_id, body)
  SELECT target.url, 'batch.' || NEW.status, p.tenant_id, 'batches', NEW.id::text,
    json_build_object(
      'type', 'batch.' || NEW.status,
      'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'data', json_build_object(
        'batchId', NEW.id, 'projectId', NEW.project_id, 'status', NEW.status, 'pausedReason', NEW.paused_reason,
        'total', NEW.total,
        'counts', json_build_object('queued', NEW.queued, 'processing', NEW.processing, 'completed', NEW.completed,
                                    'failed', NEW.failed, 'cancelled', NEW.cancelled),
        'retryOf', NEW.retry_of,
        'createdAt', to_char(NEW.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'finishedAt', to_char(NEW.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
      )
    )::text
  FROM (SELECT NEW.webhook AS url WHERE NEW.webhook IS NOT NULL UNION SELECT url FROM webhook_standing) target
    JOIN projects p ON p.id = NEW.project_id;
  RETURN NULL;
END $$;
-- Ends, and a batch that paused itself: nobody asked for that, and it goes on only when somebody says so.
CREATE TRIGGER batches_ended_webhook AFTER UPDATE OF status ON batches FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status
        AND (NEW.status IN ('completed', 'cancelled') OR (NEW.status = 'paused' AND NEW.paused_reason IS NOT NULL)))
  EXECUTE FUNCTION note_webhook();
CREATE TRIGGER batches_known_webhook AFTER INSERT ON batches FOR EACH ROW
  WHEN (NEW.status = 'completed') EXECUTE FUNCTION note_webhook();
