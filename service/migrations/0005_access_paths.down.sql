DROP TRIGGER images_changed ON images;
DROP TRIGGER images_removed ON images;
DROP TRIGGER images_added ON images;
DROP FUNCTION count_images();
DROP INDEX projects_deleted;
DROP TABLE blob_garbage;
DROP TABLE image_counts;

UPDATE batch_items t SET result_id = NULL
WHERE result_id IS NOT NULL AND NOT EXISTS (SELECT FROM results r WHERE r.id = t.result_id);
UPDATE images i SET result_id = NULL
WHERE result_id IS NOT NULL AND NOT EXISTS (SELECT FROM results r WHERE r.id = i.result_id);
UPDATE images i SET batch_id = NULL
WHERE batch_id IS NOT NULL AND NOT EXISTS (SELECT FROM batches b WHERE b.id = i.batch_id);
ALTER TABLE batch_items ADD CONSTRAINT batch_items_result_id_fkey FOREIGN KEY (result_id) REFERENCES results (id) ON DELETE SET NULL;
ALTER TABLE images ADD CONSTRAINT images_result_id_fkey FOREIGN KEY (result_id) REFERENCES results (id) ON DELETE SET NULL;
ALTER TABLE images ADD CONSTRAINT images_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches (id) ON DELETE SET NULL;

DROP INDEX exports_by_batch;
DROP INDEX batch_items_ended;
DROP INDEX batches_by_retry;
CREATE INDEX batches_by_project ON batches (project_id, created_at DESC);
DROP INDEX batches_list;
DROP INDEX images_by_text;
DROP INDEX images_by_polygons_desc;
-- The extension may have been there before, or serve others by now.
DO $$ BEGIN
  DROP EXTENSION IF EXISTS pg_trgm;
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
END $$;
