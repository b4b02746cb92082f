-- What a CDN must still forget; written in the transaction that made it so, deleted once the CDN has taken it.
CREATE TABLE cdn_purges (
  id bigserial PRIMARY KEY,
  image_id uuid NOT NULL,
  what text NOT NULL CHECK (what IN ('image', 'overlay')),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX cdn_purges_due ON cdn_purges (due_at, id);
-- Has its one row while the leading relay has a CDN to tell: without it nothing is noted, because nobody would remove it.
CREATE TABLE cdn_purging (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row));

-- As triggers, so that no way to delete an image can forget them: one by one, with its project, or one that is still to come.
CREATE FUNCTION note_cdn_removals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM cdn_purging) THEN
    -- Twice: a reply that was on its way while the image was deleted may reach the CDN after the first.
    INSERT INTO cdn_purges (image_id, what, due_at)
    SELECT id, 'image', clock_timestamp() + later FROM removed, unnest(ARRAY[interval '0', interval '1 minute']) AS later;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER images_removed_cdn AFTER DELETE ON images
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION note_cdn_removals();

CREATE FUNCTION note_cdn_replacement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM cdn_purging) THEN
    INSERT INTO cdn_purges (image_id, what) VALUES (OLD.id, 'overlay');
  END IF;
  RETURN NULL;
END $$;
-- A first result replaces nothing: for those the function is not even called.
CREATE TRIGGER images_replaced_cdn AFTER UPDATE OF result_id ON images
  FOR EACH ROW WHEN (OLD.result_id IS NOT NULL AND OLD.result_id IS DISTINCT FROM NEW.result_id)
  EXECUTE FUNCTION note_cdn_replacement();
