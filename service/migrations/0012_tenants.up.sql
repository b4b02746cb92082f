-- Whose everything is. What was here before tenants belongs to the first one, the operator's.
CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenants (id, name) VALUES ('00000000-0000-7000-8000-000000000000', 'operator');

-- A constant default touches no row, however many there are.
ALTER TABLE projects ADD COLUMN tenant_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000' REFERENCES tenants (id);
ALTER TABLE api_keys ADD COLUMN tenant_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000' REFERENCES tenants (id);
ALTER TABLE audit ADD COLUMN tenant_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000';
ALTER TABLE results ADD COLUMN tenant_id uuid NOT NULL DEFAULT '00000000-0000-7000-8000-000000000000';
-- Null: of a project that is gone, whose bytes nobody else may have either.
ALTER TABLE blob_garbage ADD COLUMN tenant_id uuid DEFAULT '00000000-0000-7000-8000-000000000000';

CREATE INDEX projects_of_tenant ON projects (tenant_id, created_at, id) WHERE deleted_at IS NULL;
DROP INDEX projects_list;
CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id, created_at, id);
CREATE INDEX audit_of_tenant ON audit (tenant_id, id DESC);
-- To count them: equal values are kept once, so that it is a tenth of the other.
CREATE INDEX audit_tenants ON audit (tenant_id);

-- A result is shared within its tenant only: nobody learns by a quick answer that somebody else has the same file.
ALTER TABLE results DROP CONSTRAINT results_sha256_model_model_version_parameters_key;
ALTER TABLE results ADD CONSTRAINT results_once UNIQUE (sha256, model, model_version, parameters, tenant_id);

-- Secrets that a rotation replaced. They hold until `ends_at`, and are kept after it: none may come to life again.
CREATE TABLE retired_secrets (
  token_sha256 bytea PRIMARY KEY,
  key_id uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  ends_at timestamptz NOT NULL
);
CREATE INDEX retired_secrets_of_key ON retired_secrets (key_id);

-- As their owner: who deletes an image may not read or write these tables himself.
CREATE OR REPLACE FUNCTION count_images() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO image_counts (project_id, status, n) SELECT project_id, status, count(*) FROM added GROUP BY 1, 2;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO image_counts (project_id, status, n) SELECT project_id, status, -count(*) FROM removed GROUP BY 1, 2;
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
ALTER FUNCTION note_cdn_removals() SECURITY DEFINER SET search_path FROM CURRENT;
ALTER FUNCTION note_cdn_replacement() SECURITY DEFINER SET search_path FROM CURRENT;

-- The tenant that a connection was opened for; null, and so nothing, where it was opened for none.
CREATE FUNCTION segbench_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT nullif(current_setting('segbench.tenant', true), '')::uuid
$$;

-- Images of the connection's tenant, for lists: the same wall, built as a join. A policy on `images` is asked row by row, and a search
-- by trigrams cannot go past it to its index, because ILIKE might tell of rows that it saw.
CREATE VIEW images_of_tenant AS
  SELECT i.* FROM images i JOIN projects p ON p.id = i.project_id AND p.tenant_id = (SELECT segbench_tenant());
-- With the facts of their bytes.
CREATE VIEW image_files_of_tenant AS
  SELECT i.*, b.width, b.height, b.channels, b.pages, b.size_bytes, b.mime_type, b.average_colour
  FROM images i JOIN projects p ON p.id = i.project_id AND p.tenant_id = (SELECT segbench_tenant())
    JOIN blobs b ON b.sha256 = i.sha256;

-- The second wall. The owner of the tables (relay, workers, migrations, backups) passes it; the roles of the API do not own them:
-- see service/src/database/wall.ts and docs/decisions/0009-tenants.md. Tables without a policy are closed to the tenants' role.
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE retired_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE blob_garbage ENABLE ROW LEVEL SECURITY;
ALTER TABLE cdn_purges ENABLE ROW LEVEL SECURITY;
ALTER TABLE cdn_purging ENABLE ROW LEVEL SECURITY;

ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON projects USING (tenant_id = (SELECT segbench_tenant()));
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON api_keys USING (tenant_id = (SELECT segbench_tenant()));
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON audit USING (tenant_id = (SELECT segbench_tenant()));
ALTER TABLE results ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON results USING (tenant_id = (SELECT segbench_tenant()));

-- What follows from these: a subquery in a policy sees what the same role sees.
ALTER TABLE images ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON images USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
ALTER TABLE batches ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON batches USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
ALTER TABLE image_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON image_counts USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
ALTER TABLE job_outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON job_outbox USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
ALTER TABLE event_outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON event_outbox USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
ALTER TABLE event_streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON event_streams USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
ALTER TABLE event_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON event_log USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id));
-- By image, not by batch: a batch and its items are written by one statement, which does not see its own rows.
ALTER TABLE batch_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON batch_items USING (EXISTS (SELECT FROM images i WHERE i.id = image_id));
ALTER TABLE image_stages ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON image_stages USING (EXISTS (SELECT FROM images i WHERE i.id = image_id));
ALTER TABLE batch_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON batch_progress USING (EXISTS (SELECT FROM batches b WHERE b.id = batch_id));
ALTER TABLE exports ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON exports USING (EXISTS (SELECT FROM batches b WHERE b.id = batch_id));
ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON idempotency USING (EXISTS (SELECT FROM api_keys k WHERE k.id = key_id));
ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON blobs FOR SELECT USING (EXISTS (SELECT FROM images i WHERE i.sha256 = blobs.sha256));
-- Their row comes before that of their image, and says nothing that the bytes do not.
CREATE POLICY new_bytes ON blobs FOR INSERT WITH CHECK ((SELECT segbench_tenant()) IS NOT NULL);
