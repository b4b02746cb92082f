-- Lists sort what has no count last, whichever way: that is not the other index read backwards.
CREATE INDEX images_by_polygons_desc ON images (project_id, polygon_count DESC NULLS LAST, id DESC);
-- Part of a name. Without the project in it: its entries would be written anew with each change of an image's status, which
-- doubled the time of the result writer's transaction.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX images_by_text ON images USING gin (name gin_trgm_ops);

CREATE INDEX batches_list ON batches (project_id, created_at DESC, id DESC);
DROP INDEX batches_by_project;
CREATE INDEX batches_by_retry ON batches (retry_of) WHERE retry_of IS NOT NULL;
-- The latest ends of a batch, which decide whether it pauses itself.
CREATE INDEX batch_items_ended ON batch_items (batch_id, finished_at DESC)
  WHERE status IN ('completed', 'failed') AND worker IS NOT NULL;
CREATE INDEX exports_by_batch ON exports (batch_id);

-- Deleting a batch or a result would search all images for it. Both go only after the images that name them: a batch with
-- its project, a result with the last image of its bytes.
ALTER TABLE images DROP CONSTRAINT images_batch_id_fkey;
ALTER TABLE images DROP CONSTRAINT images_result_id_fkey;
ALTER TABLE batch_items DROP CONSTRAINT batch_items_result_id_fkey;

-- How many images a project has in each status: the sum of `n`. Changes are added as rows of their own, so that no two
-- transactions wait for each other, and are summed up now and then into rows with `summed`.
CREATE TABLE image_counts (
  project_id uuid NOT NULL,
  status text NOT NULL,
  n bigint NOT NULL,
  summed boolean NOT NULL DEFAULT false
);
CREATE INDEX image_counts_by_project ON image_counts (project_id, status);
CREATE INDEX image_counts_to_sum ON image_counts (project_id) WHERE NOT summed;

-- Bytes that lost an image: looked at again after a grace period, and removed when no image has them then.
CREATE TABLE blob_garbage (
  id bigserial PRIMARY KEY,
  sha256 bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX blob_garbage_by_sha256 ON blob_garbage (sha256);
CREATE INDEX projects_deleted ON projects (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE FUNCTION count_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO image_counts (project_id, status, n) SELECT project_id, status, count(*) FROM added GROUP BY 1, 2;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO image_counts (project_id, status, n) SELECT project_id, status, -count(*) FROM removed GROUP BY 1, 2;
    INSERT INTO blob_garbage (sha256) SELECT DISTINCT sha256 FROM removed;
  ELSE
    INSERT INTO image_counts (project_id, status, n)
    SELECT project_id, status, sum(n) FROM (
      SELECT project_id, status, 1 AS n FROM added UNION ALL SELECT project_id, status, -1 FROM removed
    ) change GROUP BY 1, 2 HAVING sum(n) <> 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER images_added AFTER INSERT ON images
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_images();
CREATE TRIGGER images_removed AFTER DELETE ON images
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_images();
CREATE TRIGGER images_changed AFTER UPDATE ON images
  REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_images();

INSERT INTO image_counts (project_id, status, n, summed)
SELECT project_id, status, count(*), true FROM images GROUP BY 1, 2;
-- What deleted projects left behind so far.
INSERT INTO blob_garbage (sha256)
SELECT sha256 FROM blobs b WHERE NOT EXISTS (SELECT FROM images i WHERE i.sha256 = b.sha256);
