// Made from the OpenAPI document; not for editing. After a change of the routes:
// npx vitest run service/test/openapi/client.test.ts --update

export type SessionBody = { key: string };
export type NewSession = {
  keyId: string;
  name: string;
  scopes: ('read' | 'write' | 'admin' | 'metrics')[];
  expiresAt: string;
};
export type ErrorBody = {
  statusCode: number;
  code: string;
  error: string;
  message: string;
  rejected?: { name: string; code: string; message: string }[];
  errors?: {
    message: string;
    locations?: { line: number; column: number }[];
    path?: (string | number)[];
    extensions: { code: string; statusCode: number; retryAfterSeconds?: number };
  }[];
};
export type Session = { keyId: string; name: string; scopes: ('read' | 'write' | 'admin' | 'metrics')[] };
export type ProjectBody = { name: string; pixelSizeUm?: number | null };
export type Project = { id: string; name: string; pixelSizeUm: number | null; imageCount: number; createdAt: string };
export type ProjectPage = { items: Project[]; total: number; limit: number; offset: number; nextCursor: string | null };
export type UploadReply = { images: Image[]; rejected: Rejection[] };
export type Image = {
  id: string;
  projectId: string;
  name: string;
  relativePath: string | null;
  width: number;
  height: number;
  channels: number;
  pages: number;
  sizeBytes: number;
  sha256: string;
  mimeType: string;
  status: 'uploaded' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
  createdAt: string;
  polygonCount: number | null;
  batchId: string | null;
  error: ImageError | null;
  thumbnailUrl?: string;
  overlayUrl?: string | null;
  fileUrl?: string;
};
export type ImageError = {
  code: 'TIMEOUT' | 'MODEL_ERROR' | 'INVALID_IMAGE' | 'OUT_OF_MEMORY' | 'CRASHED' | 'UNKNOWN';
  message: string;
  retryable: boolean;
};
export type Rejection = {
  name: string;
  code: 'UNSUPPORTED_TYPE' | 'INVALID_IMAGE' | 'FILE_TOO_LARGE' | 'IMAGE_TOO_LARGE' | 'EMPTY_FILE' | 'INVALID_NAME';
  message: string;
};
export type ImagePage = { items: Image[]; total: number; limit: number; offset: number; nextCursor: string | null };
export type Timeline = {
  imageId: string;
  status: 'uploaded' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
  createdAt: string;
  batches: Attempt[];
  stages: Stage[];
};
export type Attempt = {
  batchId: string;
  status: 'uploaded' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
  generation: number;
  attempts: number;
  crashes: number;
  worker: string | null;
  queuedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  errorCode: 'TIMEOUT' | 'MODEL_ERROR' | 'INVALID_IMAGE' | 'OUT_OF_MEMORY' | 'CRASHED' | 'UNKNOWN' | null;
  errorMessage: string | null;
};
export type Stage = {
  stage: string;
  startedAt: string;
  durationMs: number;
  batchId: string | null;
  attempt: number;
  worker: string | null;
  cause: string | null;
};
export type BatchBody = {
  imageIds?: string[];
  all?: true;
  model?: string;
  threshold?: number;
  channel?: number;
  page?: number;
  priority?: number;
  force?: boolean;
  detectHoles?: boolean;
  webhook?: string;
};
export type Batch = {
  id: string;
  projectId: string;
  status: 'queued' | 'running' | 'paused' | 'completed' | 'cancelled';
  pausedReason: string | null;
  model: string;
  modelVersion: string;
  threshold: number;
  priority: number;
  total: number;
  counts: BatchCounts;
  reused: number;
  imagesPerSecond: number;
  eta: Eta | null;
  retryOf: string | null;
  forecast: {
    images: number;
    workers: number;
    imagesAhead: number;
    seconds: number;
    low: number;
    high: number;
    resultBytes: number;
    basis: { images: number; ownProject: boolean; batches: number; outside: boolean };
  } | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
};
export type BatchCounts = { queued: number; processing: number; completed: number; failed: number; cancelled: number };
export type Eta = { seconds: number; low: number; high: number };
export type BatchPage = { items: Batch[]; total: number; limit: number; offset: number; nextCursor: string | null };
export type RetryBody = {
  only: 'failed';
  code?: 'TIMEOUT' | 'MODEL_ERROR' | 'INVALID_IMAGE' | 'OUT_OF_MEMORY' | 'CRASHED' | 'UNKNOWN';
};
export type Failures = { batchId: string; total: number; groups: FailureGroup[] };
export type FailureGroup = {
  code: 'TIMEOUT' | 'MODEL_ERROR' | 'INVALID_IMAGE' | 'OUT_OF_MEMORY' | 'CRASHED' | 'UNKNOWN';
  retryable: boolean;
  count: number;
  first: string;
  last: string;
  sampleImageIds: string[];
  sampleMessage: string;
  retryId: string | null;
};
export type QueueReply = {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  oldestAgeMs: number;
  workers: WorkerReport[];
};
export type WorkerReport = {
  id: string;
  pid: number | null;
  state: string;
  model: string;
  provider: string;
  imagesDone: number;
  lastError: string | null;
  busyRatio: number;
  rssBytes: number;
  slots: number;
  batchFill: number | null;
  seenAt: string;
};
export type NowReply = {
  timestamp: string;
  queue: QueueReply;
  finished: { second: number; done: number }[];
  stages: NowStages | null;
  eventLagMs: number;
  openBatches: number;
  batches: NowBatch[];
};
export type NowStages = { images: number; waitMs: number; runMs: number; runP95Ms: number; publishMs: number };
export type NowBatch = {
  id: string;
  projectId: string;
  status: 'queued' | 'running' | 'paused' | 'completed' | 'cancelled';
  pausedReason: string | null;
  model: string;
  modelVersion: string;
  threshold: number;
  priority: number;
  total: number;
  counts: BatchCounts;
  reused: number;
  imagesPerSecond: number;
  eta: Eta | null;
  retryOf: string | null;
  forecast: {
    images: number;
    workers: number;
    imagesAhead: number;
    seconds: number;
    low: number;
    high: number;
    resultBytes: number;
    basis: { images: number; ownProject: boolean; batches: number; outside: boolean };
  } | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  projectName: string;
};
export type ResultsBody = {
  imageIds?: string[];
  batchId?: string;
  cursor?: string;
  lod?: 'low' | 'medium' | 'high';
  fields?: (
    | 'imageId'
    | 'batchId'
    | 'status'
    | 'model'
    | 'modelVersion'
    | 'threshold'
    | 'imageWidth'
    | 'imageHeight'
    | 'polygonCount'
    | 'processingTimeMs'
    | 'stages'
    | 'warnings'
    | 'polygons'
  )[];
  maxBytes?: number;
};
export type ResultsReply = {
  results: {
    [name: string]: {
      imageId?: string;
      batchId?: string;
      status?: 'completed';
      model?: string;
      modelVersion?: string;
      threshold?: number;
      imageWidth?: number;
      imageHeight?: number;
      polygonCount?: number;
      processingTimeMs?: number;
      stages?: { [name: string]: number };
      warnings?: string[];
      polygons?: Polygon[];
    } | null;
  };
  missing: string[];
  nextCursor: string | null;
};
export type Polygon = {
  id: number;
  type: 'external' | 'internal';
  parentId: number | null;
  points: number[];
  area: number;
  bbox: number[];
  confidence: number;
};
export type Result = {
  imageId: string;
  batchId: string;
  status: 'completed';
  model: string;
  modelVersion: string;
  threshold: number;
  imageWidth: number;
  imageHeight: number;
  polygonCount: number;
  processingTimeMs: number;
  stages: { [name: string]: number };
  warnings?: string[];
  polygons: Polygon[];
};
export type ExportBody = { format: 'ndjson' | 'geojson' | 'coco' | 'csv' | 'labels-zip' | 'imagej-rois' };
export type Export = {
  id: string;
  batchId: string | null;
  format: 'ndjson' | 'geojson' | 'coco' | 'csv' | 'labels-zip' | 'imagej-rois';
  status: 'queued' | 'running' | 'ready' | 'failed';
  progress: number;
  fileName: string | null;
  sizeBytes: number | null;
  error: string | null;
  createdAt: string;
  finishedAt: string | null;
  downloadUrl?: string;
};
export type HealthReply = {
  status: 'healthy' | 'degraded' | 'unhealthy';
  timestamp: string;
  services: {
    database: { status: 'healthy' | 'degraded' | 'unhealthy'; latencyMs: number };
    queue: { status: 'healthy' | 'degraded' | 'unhealthy'; latencyMs: number };
    cache: { status: 'healthy' | 'degraded' | 'unhealthy'; latencyMs: number };
    inference: { status: 'healthy' | 'degraded' | 'unhealthy'; latencyMs: number; workers: number };
    storage: { status: 'healthy' | 'degraded' | 'unhealthy'; latencyMs: number };
  };
  system: System;
};
export type System = { cpuUsage: number; memoryUsage: number; eventLoopLag: number };
export type SummaryReply = {
  timestamp: string;
  uptime: number;
  api: { requestsPerMinute: number; avgResponseTime: number; errorRate: number };
  database: { queriesPerMinute: number; avgQueryTime: number; slowQueries: number };
  system: System;
  cache: { hitRate: number; totalHits: number; totalMisses: number };
  queue: { waiting: number; active: number; failed: number; oldestAgeMs: number; workers: number };
};
export type PerformanceReply = {
  timestamp: string;
  api: { requestsPerMinute: number; avgResponseTime: number; errorRate: number };
  database: { queriesPerMinute: number; avgQueryTime: number; slowQueries: number };
  system: { current: System; averages: System; peaks: System };
  cache: { hitRate: number; totalHits: number; totalMisses: number };
  databasePool: { totalCount: number; idleCount: number; waitingCount: number };
  uptime: number;
};
export type SlowQueriesReply = {
  timestamp: string;
  slowQueries: { query: string; duration: number; rowCount: number }[];
  recommendations: string[];
};
export type EndpointsReply = {
  timestamp: string;
  totalRequests: number;
  avgResponseTime: number;
  errorRate: number;
  slowEndpoints: { endpoint: string; avgResponseTime: number; count: number; errorRate: number }[];
  percentiles: { p50: number; p95: number; p99: number };
};
export type AlertGroup = {
  version: '4';
  groupKey: string;
  status: 'firing' | 'resolved';
  receiver?: string;
  truncatedAlerts?: number;
  groupLabels?: { [name: string]: string };
  commonLabels?: { [name: string]: string };
  commonAnnotations?: { [name: string]: string };
  externalURL?: string;
  alerts: {
    status: 'firing' | 'resolved';
    labels: { [name: string]: string };
    annotations?: { [name: string]: string };
    startsAt?: string;
    endsAt?: string;
    generatorURL?: string;
    fingerprint?: string;
  }[];
};
export type AlertAccepted = { id: string };
export type RunsReply = { items: Run[]; total: number; limit: number; offset: number; unreadable: string[] };
export type Run = {
  id: string;
  name: string;
  scenario: string;
  client: string;
  verdict: string;
  startedAt: string;
  finishedAt: string;
  commit: string;
  seed: number;
  imageCount: number;
  simulated: boolean;
  budgets: RunBudget[];
  work: RunFact[];
  machine: RunFact[];
  notes: string[];
  hasReport: boolean;
};
export type RunBudget = {
  name: string;
  unit: string;
  operator: string;
  limit: number;
  actual: number | null;
  spread: number | null;
  verdict: string;
  note: string;
};
export type RunFact = { name: string; value: string };
export type RunDetail = {
  id: string;
  name: string;
  scenario: string;
  client: string;
  verdict: string;
  startedAt: string;
  finishedAt: string;
  commit: string;
  seed: number;
  imageCount: number;
  simulated: boolean;
  budgets: RunBudget[];
  work: RunFact[];
  machine: RunFact[];
  notes: string[];
  hasReport: boolean;
  stages: RunStage[];
};
export type RunStage = {
  name: string;
  count: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  histogram: number[][];
};
export type KeyBody = {
  name: string;
  scopes: ('read' | 'write' | 'admin' | 'metrics')[];
  expiresAt?: string | null;
  tenant?: string;
};
export type NewKey = {
  id: string;
  name: string;
  scopes: ('read' | 'write' | 'admin' | 'metrics')[];
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  token: string;
  tenant?: string;
};
export type KeyPage = { items: Key[]; total: number; limit: number; offset: number; nextCursor: string | null };
export type Key = {
  id: string;
  name: string;
  scopes: ('read' | 'write' | 'admin' | 'metrics')[];
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
};
export type RotateBody = { overlapSeconds?: number };
export type AuditRowPage = {
  items: AuditRow[];
  total: number;
  limit: number;
  offset: number;
  nextCursor: string | null;
};
export type AuditRow = {
  id: number;
  at: string;
  keyId: string | null;
  keyName: string | null;
  action: string;
  targetType: string;
  targetId: string | null;
  detail: { [name: string]: unknown } | null;
};
export type ImageEvent = {
  seq: number;
  imageId: string;
  batchId: string | null;
  status: 'uploaded' | 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
  polygonCount?: number;
  code?: 'TIMEOUT' | 'MODEL_ERROR' | 'INVALID_IMAGE' | 'OUT_OF_MEMORY' | 'CRASHED' | 'UNKNOWN';
  traceparent?: string;
};
export type BatchState = {
  id: string;
  status: 'queued' | 'running' | 'paused' | 'completed' | 'cancelled';
  pausedReason: string | null;
  total: number;
  counts: BatchCounts;
  imagesPerSecond: number;
  eta: Eta | null;
};
export type HelloFrame = { type: 'hello'; projectId: string; epoch: string; seq: number };
export type EventsFrame = {
  type: 'events';
  epoch: string;
  from: number;
  to: number;
  events: ImageEvent[];
  batches: BatchState[];
};
export type SnapshotFrame = {
  type: 'snapshot';
  epoch: string;
  seq: number;
  counts: {
    uploaded: number;
    queued: number;
    processing: number;
    completed: number;
    failed: number;
    cancelled: number;
  };
  batches: BatchState[];
};
export type HeartbeatFrame = { type: 'heartbeat' };
export type ServerFrame = HelloFrame | EventsFrame | SnapshotFrame | HeartbeatFrame;

/** Every route by method and path: what it takes and what it answers. */
export interface Routes {
  'GET /openapi.json': { reply: Record<string, unknown> };
  'GET /docs': { reply: string };
  'POST /api/session': { body: SessionBody | undefined; reply: NewSession };
  'GET /api/session': { reply: Session };
  'DELETE /api/session': { reply: undefined };
  'POST /api/projects': { body: ProjectBody; reply: Project };
  'GET /api/projects': { query: { limit?: number; offset?: number; cursor?: string }; reply: ProjectPage };
  'GET /api/projects/{id}': { path: { id: string }; reply: Project };
  'PATCH /api/projects/{id}': {
    path: { id: string };
    body: { name?: string; pixelSizeUm?: number | null };
    reply: Project;
  };
  'DELETE /api/projects/{id}': { path: { id: string }; reply: undefined };
  'POST /api/projects/{id}/images': { path: { id: string }; reply: UploadReply };
  'GET /api/projects/{id}/images': {
    path: { id: string };
    query: {
      limit?: number;
      offset?: number;
      cursor?: string;
      status?: string;
      q?: string;
      sort?: 'name' | '-name' | 'createdAt' | '-createdAt' | 'polygonCount' | '-polygonCount';
    };
    reply: ImagePage;
  };
  'GET /api/projects/{id}/index': {
    path: { id: string };
    query: {
      q?: string;
      sort?: 'name' | '-name' | 'createdAt' | '-createdAt' | 'polygonCount' | '-polygonCount';
      first?: number;
      behind?: number;
    };
    reply: Uint8Array<ArrayBuffer>;
  };
  'GET /api/images/{id}': { path: { id: string }; reply: Image };
  'DELETE /api/images/{id}': { path: { id: string }; reply: undefined };
  'GET /api/images/{id}/timeline': { path: { id: string }; reply: Timeline };
  'GET /api/images/{id}/file': {
    path: { id: string };
    query: { expires?: number; signature?: string };
    reply: Uint8Array<ArrayBuffer>;
  };
  'GET /api/images/{id}/render': {
    path: { id: string };
    query: {
      region?: string;
      w?: number;
      h?: number;
      q?: number;
      f?: 'webp' | 'avif' | 'jpeg' | 'png' | 'auto';
      expires?: number;
      signature?: string;
    };
    reply: Uint8Array<ArrayBuffer>;
  };
  'GET /api/images/{id}/overlay': {
    path: { id: string };
    query: { w?: number; f?: 'png' | 'webp' | 'avif' | 'auto'; v?: string; expires?: number; signature?: string };
    reply: Uint8Array<ArrayBuffer>;
  };
  'GET /api/thumbnails': { query: { ids: string; w?: number }; reply: Uint8Array<ArrayBuffer> };
  'POST /api/projects/{id}/batches': { path: { id: string }; body: BatchBody; reply: Batch };
  'GET /api/projects/{id}/batches': {
    path: { id: string };
    query: { limit?: number; offset?: number; cursor?: string };
    reply: BatchPage;
  };
  'POST /api/projects/{id}/forecast': {
    path: { id: string };
    body: BatchBody;
    reply: {
      images: number;
      reused: number;
      forecast: {
        images: number;
        workers: number;
        imagesAhead: number;
        seconds: number;
        low: number;
        high: number;
        resultBytes: number;
        basis: { images: number; ownProject: boolean; batches: number; outside: boolean };
      } | null;
      reason: 'NOTHING_MEASURED' | 'NO_WORKER' | 'NOTHING_TO_SEGMENT' | null;
    };
  };
  'GET /api/forecasts': {
    reply: {
      items: {
        batchId: string;
        projectId: string;
        projectName: string;
        createdAt: string;
        forecast: {
          images: number;
          workers: number;
          imagesAhead: number;
          seconds: number;
          low: number;
          high: number;
          resultBytes: number;
          basis: { images: number; ownProject: boolean; batches: number; outside: boolean };
        };
        tookSeconds: number;
        gotBytes: number;
        inside: boolean;
      }[];
      score: { batches: number; bias: number; error: number; coverage: number } | null;
    };
  };
  'GET /api/batches/{id}': { path: { id: string }; reply: Batch };
  'POST /api/batches/{id}/pause': {
    path: { id: string };
    body: Record<string, never> | null | undefined;
    reply: Batch;
  };
  'POST /api/batches/{id}/resume': {
    path: { id: string };
    body: Record<string, never> | null | undefined;
    reply: Batch;
  };
  'POST /api/batches/{id}/cancel': {
    path: { id: string };
    body: Record<string, never> | null | undefined;
    reply: Batch;
  };
  'POST /api/batches/{id}/retry': { path: { id: string }; body: RetryBody; reply: Batch };
  'GET /api/batches/{id}/failures': { path: { id: string }; reply: Failures };
  'GET /api/queue': { reply: QueueReply };
  'GET /api/now': { reply: NowReply };
  'GET /api/events': {
    query: { projectId: string; epoch?: string; since?: number; window?: number };
    reply: undefined;
  };
  'POST /api/segmentation/batch/results': { body: ResultsBody; reply: ResultsReply };
  'GET /api/images/{id}/segmentation': {
    path: { id: string };
    query: { lod?: 'low' | 'medium' | 'high' };
    reply: Result;
  };
  'POST /api/batches/{id}/exports': { path: { id: string }; body: ExportBody; reply: Export };
  'GET /api/exports/{id}': { path: { id: string }; reply: Export };
  'GET /api/download/{exportId}': {
    path: { exportId: string };
    query: { expires?: number; signature?: string };
    reply: Uint8Array<ArrayBuffer>;
  };
  'POST /graphql': {
    body: {
      query: string;
      operationName?: string | null;
      variables?: { [name: string]: unknown } | null;
      extensions?: { [name: string]: unknown } | null;
    };
    reply: {
      data?: { [name: string]: unknown } | null;
      errors?: {
        message: string;
        locations?: { line: number; column: number }[];
        path?: (string | number)[];
        extensions: { code: string; statusCode: number; retryAfterSeconds?: number };
      }[];
      extensions?: { cost: { complexity: number; requests: number } };
    };
  };
  'GET /graphql': { reply: string };
  'GET /api/metrics/health': { reply: HealthReply };
  'GET /api/metrics/summary': { reply: SummaryReply };
  'GET /api/metrics/performance': { reply: PerformanceReply };
  'GET /api/metrics/slow-queries': { reply: SlowQueriesReply };
  'GET /api/metrics/endpoints': { reply: EndpointsReply };
  'GET /metrics': { reply: string };
  'GET /healthz': { reply: { status: string } };
  'GET /readyz': { reply: { status: string } };
  'POST /api/alerts': { body: AlertGroup; reply: AlertAccepted };
  'GET /api/runs': { query: { limit?: number; offset?: number }; reply: RunsReply };
  'GET /api/runs/{id}': { path: { id: string }; reply: RunDetail };
  'GET /api/runs/{id}/report': { path: { id: string }; reply: string };
  'POST /api/keys': { body: KeyBody; reply: NewKey };
  'GET /api/keys': { query: { limit?: number; offset?: number; cursor?: string; tenant?: string }; reply: KeyPage };
  'DELETE /api/keys/{id}': { path: { id: string }; query: { tenant?: string }; reply: undefined };
  'POST /api/keys/{id}/rotate': {
    path: { id: string };
    query: { tenant?: string };
    body: RotateBody | null | undefined;
    reply: NewKey;
  };
  'GET /api/audit': { query: { limit?: number; offset?: number; cursor?: string }; reply: AuditRowPage };
}
