-- PostgreSQL is the only truth: Redis can be rebuilt from these tables, the browser from both.

CREATE TABLE projects (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  pixel_size_um double precision,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);
CREATE INDEX projects_list ON projects (created_at, id) WHERE deleted_at IS NULL;

-- Identical bytes share one file and one inference, never a row.
CREATE TABLE blobs (
  sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
  size_bytes bigint NOT NULL,
  mime_type text NOT NULL,
  width integer NOT NULL,
  height integer NOT NULL,
  channels integer NOT NULL,
  pages integer NOT NULL,
  -- 0xRRGGBB, what a cell shows before its thumbnail is there
  average_colour integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE results (
  id uuid PRIMARY KEY,
  sha256 bytea NOT NULL,
  model text NOT NULL,
  model_version text NOT NULL,
  -- canonical text of all parameters that change the polygons, e.g. 't=0.5;c=;p=0;h=1'
  parameters text NOT NULL,
  threshold real NOT NULL,
  image_width integer NOT NULL,
  image_height integer NOT NULL,
  polygon_count integer NOT NULL,
  processing_ms real NOT NULL,
  stages jsonb NOT NULL,
  polygons bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (sha256, model, model_version, parameters)
);
-- The varint form does not compress further; TOAST's pglz would only burn CPU on it.
ALTER TABLE results ALTER COLUMN polygons SET STORAGE EXTERNAL;

CREATE TABLE batches (
  id uuid PRIMARY KEY,
  project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'paused', 'completed', 'cancelled')),
  paused_reason text,
  model text NOT NULL,
  model_version text NOT NULL,
  threshold real NOT NULL,
  channel integer,
  page integer NOT NULL DEFAULT 0,
  detect_holes boolean NOT NULL DEFAULT true,
  parameters text NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  force boolean NOT NULL DEFAULT false,
  total integer NOT NULL,
  queued integer NOT NULL DEFAULT 0,
  processing integer NOT NULL DEFAULT 0,
  completed integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  cancelled integer NOT NULL DEFAULT 0,
  retry_of uuid REFERENCES batches (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CHECK (queued >= 0 AND processing >= 0 AND queued + processing + completed + failed + cancelled = total)
);
CREATE INDEX batches_by_project ON batches (project_id, created_at DESC);
CREATE INDEX batches_open ON batches (status) WHERE status IN ('queued', 'running', 'paused');

CREATE TABLE images (
  id uuid PRIMARY KEY,
  project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name text NOT NULL,
  relative_path text,
  sha256 bytea NOT NULL REFERENCES blobs (sha256),
  status text NOT NULL DEFAULT 'uploaded'
    CHECK (status IN ('uploaded', 'queued', 'processing', 'completed', 'failed', 'cancelled')),
  -- of the latest batch that touched this image
  batch_id uuid REFERENCES batches (id) ON DELETE SET NULL,
  result_id uuid REFERENCES results (id) ON DELETE SET NULL,
  polygon_count integer,
  error_code text,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX images_by_created ON images (project_id, created_at, id);
CREATE INDEX images_by_name ON images (project_id, name, id);
CREATE INDEX images_by_polygons ON images (project_id, polygon_count, id);
CREATE INDEX images_by_status ON images (project_id, status, created_at, id);
CREATE INDEX images_by_blob ON images (sha256);

CREATE TABLE batch_items (
  batch_id uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
  image_id uuid NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  status text NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed', 'cancelled')),
  -- raised each time the item is handed out again; a late worker of an older generation changes nothing
  generation integer NOT NULL DEFAULT 1,
  lease_until timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  crashes integer NOT NULL DEFAULT 0,
  worker text,
  result_id uuid REFERENCES results (id) ON DELETE SET NULL,
  error_code text,
  error_message text,
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (batch_id, image_id)
);
CREATE INDEX batch_items_open ON batch_items (lease_until) WHERE status IN ('queued', 'processing');
CREATE INDEX batch_items_by_image ON batch_items (image_id, queued_at DESC);
CREATE INDEX batch_items_failed ON batch_items (batch_id, error_code) WHERE status = 'failed';

-- What must still reach the queue; deleted once BullMQ has acknowledged it.
CREATE TABLE job_outbox (
  id bigserial PRIMARY KEY,
  project_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  image_id uuid NOT NULL,
  generation integer NOT NULL,
  priority integer NOT NULL DEFAULT 0
);
CREATE INDEX job_outbox_order ON job_outbox (project_id, priority DESC, id);
CREATE INDEX job_outbox_by_batch ON job_outbox (batch_id);

-- What must still be numbered and sent; written in the transaction that made it true.
CREATE TABLE event_outbox (
  id bigserial PRIMARY KEY,
  project_id uuid NOT NULL,
  image_id uuid NOT NULL,
  batch_id uuid,
  status text NOT NULL,
  polygon_count integer,
  code text
);

-- One numbering a project. `epoch` changes only when the numbering starts anew.
CREATE TABLE event_streams (
  project_id uuid PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
  epoch uuid NOT NULL,
  seq bigint NOT NULL DEFAULT 0
);

-- The replay log: each frame as it was sent.
CREATE TABLE event_log (
  project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  frame text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (project_id, to_seq, from_seq)
);
CREATE INDEX event_log_age ON event_log (created_at);

-- Every stage of every image, for the timeline and the ledger.
CREATE TABLE image_stages (
  image_id uuid NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  batch_id uuid,
  stage text NOT NULL,
  started_at timestamptz NOT NULL,
  duration_ms real NOT NULL,
  -- of all threads of the process that ran it; null where nobody measured it
  cpu_ms real,
  attempt integer NOT NULL DEFAULT 1,
  worker text,
  cause text
);
CREATE INDEX image_stages_by_image ON image_stages (image_id, started_at);

CREATE TABLE exports (
  id uuid PRIMARY KEY,
  batch_id uuid REFERENCES batches (id) ON DELETE CASCADE,
  format text NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'ready', 'failed')),
  progress real NOT NULL DEFAULT 0,
  file_name text,
  mime_type text,
  size_bytes bigint,
  etag text,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX exports_open ON exports (created_at) WHERE status IN ('queued', 'running');

CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  token_sha256 bytea NOT NULL UNIQUE,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

CREATE TABLE sessions (
  token_sha256 bytea PRIMARY KEY,
  key_id uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE TABLE idempotency (
  key_id uuid NOT NULL,
  key text NOT NULL,
  route text NOT NULL,
  status_code integer,
  reply jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (key_id, route, key)
);

CREATE TABLE audit (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  key_id uuid,
  key_name text,
  action text NOT NULL,
  target_type text NOT NULL,
  target_id text,
  detail jsonb
);
CREATE INDEX audit_recent ON audit (at DESC);
