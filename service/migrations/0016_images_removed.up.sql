-- With the sum of image_counts it tells whether two snapshots have the same images: what was added and what was removed only ever grow.
ALTER TABLE projects ADD COLUMN images_removed bigint NOT NULL DEFAULT 0;
CREATE OR REPLACE FUNCTION count_images() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO image_counts (project_id, status, n) SELECT project_id, status, count(*) FROM added GROUP BY 1, 2;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO image_counts (project_id, status, n) SELECT project_id, status, -count(*) FROM removed GROUP BY 1, 2;
    UPDATE projects p SET images_removed = images_removed + r.n
    FROM (SELECT project_id, count(*) AS n FROM removed GROUP BY 1) r WHERE p.id = r.project_id;
    INSERT INTO blob_garbage (sha256, tenant_id)
    SELECT DISTINCT r.sha256, p.tenant_id FROM removed r LEFT JOIN projects p ON p.id = r.project_id;
  ELSE
    INSERT INTO image_counts (project_id, status, n)
    SELECT project_id, status, sum(n) FROM (
      SELECT project_id, status, 1 AS n FROM added UNION ALL SELECT project_id, status, -1 FROM removed
    ) change GROUP BY 1, 2 HAVING sum(n) <> 0;
  END IF;
  RETURN NULL;
END $$;
