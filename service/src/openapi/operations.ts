import type { Scope } from '#contract/common.ts';
import type { ErrorCode } from '../errors.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import { EXAMPLE_IDS } from './ids.ts';

/** What the document says of one operation beside what its route says itself. */
export interface Notes {
  /** Also the name that generated clients use. Without one it is made from method and path. */
  operationId: string;
  /** Where the route has none. */
  description?: string;
  /** Beside those that follow from the route: see `responses.ts`. */
  errors?: ErrorCode[];
  /** A body that works as it stands; without one, the fields that are always needed. */
  body?: unknown;
  /** The body may be left out. */
  bodyOptional?: true;
  /** Media types of a reply that is bytes, or of the forms of one that is not JSON alone. */
  produces?: string[];
  /** Headers of the successful replies. */
  headers?: string[];
  /** Request headers that change the answer, with what they do. */
  asks?: Record<string, string>;
  /** Replies without a body: status and what it means. */
  bare?: Record<number, string>;
  /** What its own check of the key needs, outside of `/api`. */
  scope?: Scope;
}

const { images: IMAGE = '', batches: BATCH = '' } = EXAMPLE_IDS;
const PICTURE = ['etag', 'cache-control', 'vary'];
const FILE = ['etag', 'last-modified', 'cache-control', 'accept-ranges'];
const ASKS_PICTURE = {
  accept: 'With `f=auto`: the formats that the client takes',
  'if-none-match': 'An etag that the client has: 304 when nothing changed',
};
const ASKS_FILE = {
  range: 'One range of bytes, e.g. `bytes=0-1023`; malformed ranges and unknown units are ignored',
  'if-range': 'An etag or a date: the range is taken only while it is current',
  'if-none-match': 'An etag that the client has: 304 when nothing changed',
};
const DRAWN: ErrorCode[] = ['IMAGE_TOO_LARGE', 'IMAGE_DAMAGED', 'PICTURES_BUSY', 'PICTURE_FAILED'];
const SIGNED: ErrorCode[] = ['LINK_INVALID', 'LINK_EXPIRED'];
const NOT_MODIFIED = { 304: 'The client has these bytes already' };

export const OPERATIONS: Readonly<Record<string, Notes>> = {
  'POST /api/session': {
    operationId: 'createSession',
    description: 'The key may come in the body, or as a bearer token without a body.',
    errors: ['UNAUTHENTICATED', 'RATE_LIMITED', 'UNAVAILABLE'],
    body: { key: 'a key of 32 characters or more, as it was given out once' },
    bodyOptional: true,
    headers: ['set-cookie'],
  },
  'GET /api/session': { operationId: 'getSession' },
  'DELETE /api/session': { operationId: 'deleteSession', headers: ['set-cookie'] },

  'POST /api/projects': { operationId: 'createProject', body: { name: 'Plate 7', pixelSizeUm: 0.325 } },
  'GET /api/projects': { operationId: 'listProjects', errors: ['BAD_CURSOR'] },
  'GET /api/projects/:id': { operationId: 'getProject' },
  'PATCH /api/projects/:id': { operationId: 'updateProject', body: { name: 'Plate 7, repeated' } },
  'DELETE /api/projects/:id': { operationId: 'deleteProject' },

  'POST /api/projects/:id/images': {
    operationId: 'uploadImages',
    errors: ['NO_IMAGE_ACCEPTED', 'TOO_MANY_FILES', 'IDEMPOTENCY_IN_USE', 'IDEMPOTENCY_MISMATCH'],
    headers: ['idempotency-replayed'],
  },
  'GET /api/projects/:id/images': { operationId: 'listImages', errors: ['BAD_CURSOR'] },
  'GET /api/projects/:id/index': {
    operationId: 'getIndex',
    headers: ['cache-control'],
    asks: { 'if-none-match': 'With `behind`: an etag that the client has: 304 when that index still holds' },
    bare: NOT_MODIFIED,
  },
  'GET /api/images/:id': { operationId: 'getImage' },
  'GET /api/images/:id/timeline': { operationId: 'getTimeline' },
  'DELETE /api/images/:id': { operationId: 'deleteImage' },

  'GET /api/images/:id/file': {
    operationId: 'getImageFile',
    errors: ['RANGE_NOT_SATISFIABLE', ...SIGNED],
    produces: ['image/png', 'image/jpeg', 'image/tiff', 'image/webp'],
    headers: FILE,
    asks: ASKS_FILE,
    bare: NOT_MODIFIED,
  },
  'GET /api/images/:id/render': {
    operationId: 'renderImage',
    errors: [...DRAWN, ...SIGNED],
    produces: ['image/webp', 'image/avif', 'image/jpeg', 'image/png'],
    headers: PICTURE,
    asks: ASKS_PICTURE,
    bare: NOT_MODIFIED,
  },
  'GET /api/thumbnails': {
    operationId: 'getThumbnails',
    produces: ['multipart/form-data'],
    headers: ['cache-control'],
  },
  'GET /api/images/:id/overlay': {
    operationId: 'renderOverlay',
    errors: [...DRAWN, ...SIGNED],
    produces: ['image/png', 'image/webp', 'image/avif'],
    headers: PICTURE,
    asks: ASKS_PICTURE,
    bare: NOT_MODIFIED,
  },

  'POST /api/projects/:id/batches': {
    operationId: 'createBatch',
    description:
      'Either `imageIds` or `all: true`. What is known already (same bytes, model, parameters) completes from the cache unless `force`.',
    errors: ['EMPTY_PROJECT'],
    body: { all: true, threshold: 0.5 },
  },
  'POST /api/projects/:id/forecast': {
    operationId: 'forecastBatch',
    description:
      'Takes what `createBatch` takes and writes nothing. `forecast` is null, with a `reason`, where nothing was measured yet: segmenting a dozen of the images is enough.',
    errors: ['EMPTY_PROJECT'],
    body: { all: true, threshold: 0.5 },
  },
  'GET /api/forecasts': {
    operationId: 'listForecasts',
    description: 'Of the last month’s completed batches that nobody paused, and how well they held.',
  },
  'GET /api/projects/:id/batches': { operationId: 'listBatches', errors: ['BAD_CURSOR'] },
  'GET /api/batches/:id': { operationId: 'getBatch' },
  'POST /api/batches/:id/pause': { operationId: 'pauseBatch', errors: ['CONFLICT'], bodyOptional: true },
  'POST /api/batches/:id/resume': { operationId: 'resumeBatch', errors: ['CONFLICT'], bodyOptional: true },
  'POST /api/batches/:id/cancel': { operationId: 'cancelBatch', errors: ['CONFLICT'], bodyOptional: true },
  'POST /api/batches/:id/retry': { operationId: 'retryBatch', errors: ['CONFLICT'], body: { only: 'failed' } },
  'GET /api/batches/:id/failures': { operationId: 'getFailures' },
  'GET /api/queue': { operationId: 'getQueue' },
  'GET /api/now': {
    operationId: 'getNow',
    description:
      'Queue, workers, throughput, stages, event lag and batches of one moment: what the operator’s page asks for each second.',
  },
  'GET /api/events': {
    operationId: 'openEvents',
    description:
      'The first frame is `hello`. With `epoch` and `since` the client gets exactly what it missed, or a `snapshot`. Close codes: 1001 the server ends, 1008 the key or session has ended, 1009 a message over 64 KiB, 1013 the client stopped reading, 4404 the project was deleted.',
    errors: ['FOREIGN_ORIGIN', 'NOT_FOUND', 'UPGRADE_REQUIRED', 'TOO_MANY_SOCKETS', 'SOCKETS_BUSY'],
    bare: { 101: 'Switching protocols: frames of `ServerFrame` as text follow. The client need send nothing' },
  },

  'POST /api/segmentation/batch/results': {
    operationId: 'readResults',
    errors: ['NOT_FOUND', 'BAD_CURSOR'],
    body: { imageIds: [IMAGE], lod: 'medium' },
    produces: ['application/x-ndjson', POLYGONS_MIME],
    headers: ['vary'],
    asks: { accept: 'The form of the reply; JSON for everything that is not one of the three' },
  },
  'GET /api/images/:id/segmentation': { operationId: 'getResult' },
  'POST /api/batches/:id/exports': {
    operationId: 'createExport',
    body: { format: 'geojson' },
  },
  'GET /api/exports/:id': { operationId: 'getExport' },
  'GET /api/download/:exportId': {
    operationId: 'downloadExport',
    errors: ['NOT_READY', 'RANGE_NOT_SATISFIABLE', ...SIGNED],
    produces: ['application/x-ndjson', 'application/geo+json', 'application/json', 'text/csv', 'application/zip'],
    headers: [...FILE, 'content-disposition'],
    asks: ASKS_FILE,
    bare: NOT_MODIFIED,
  },

  'GET /api/metrics/health': { operationId: 'getHealth' },
  'GET /api/metrics/summary': { operationId: 'getSummary' },
  'GET /api/metrics/performance': { operationId: 'getPerformance' },
  'GET /api/metrics/slow-queries': { operationId: 'getSlowQueries' },
  'GET /api/metrics/endpoints': { operationId: 'getEndpoints' },
  'POST /api/alerts': {
    operationId: 'relayAlerts',
    description:
      'Takes what the `webhook_config` of Prometheus Alertmanager sends (version 4) and tells WEBHOOK_URL of it, signed and repeated until it is taken. `id` is the `webhook-id` of that message.',
    errors: ['CONFLICT'],
    body: {
      version: '4',
      groupKey: '{}:{alertname="SegbenchNoProgress"}',
      status: 'firing',
      alerts: [{ status: 'firing', labels: { alertname: 'SegbenchNoProgress', severity: 'page' } }],
    },
  },
  'GET /api/runs': { operationId: 'listRuns' },
  'GET /api/runs/:id': { operationId: 'getRun' },
  'GET /api/runs/:id/report': {
    operationId: 'getRunReport',
    errors: ['RANGE_NOT_SATISFIABLE'],
    produces: ['text/html'],
    headers: FILE,
    asks: ASKS_FILE,
    bare: NOT_MODIFIED,
  },
  'POST /api/keys': {
    operationId: 'createKey',
    description:
      'Who has `admin` may give out any scope, also one that the own key lacks. `tenant` is for keys of the operator’s tenant: a name that is new makes a tenant. Keys of other tenants cannot have `metrics`.',
    errors: ['CONFLICT'],
    body: { name: 'nightly run', scopes: ['read', 'write'] },
  },
  'GET /api/keys': { operationId: 'listKeys', errors: ['BAD_CURSOR', 'NOT_FOUND'] },
  'DELETE /api/keys/:id': {
    operationId: 'deleteKey',
    description:
      'It ends at once, in every API process, with its sessions and open sockets. Any key may be revoked, the last one with `admin` too: a start with a new BOOTSTRAP_API_KEY then lets the owner in again.',
  },
  'POST /api/keys/:id/rotate': {
    operationId: 'rotateKey',
    description:
      'The id, name and scopes stay. The secret before, and its sessions, hold for `overlapSeconds` more (a week at most); without a body they end at once, open sockets too.',
    body: { overlapSeconds: 3600 },
    bodyOptional: true,
  },
  'GET /api/audit': { operationId: 'listAudit', errors: ['BAD_CURSOR'] },

  'GET /metrics': {
    operationId: 'getPrometheus',
    produces: ['text/plain'],
    scope: 'metrics',
  },
  'GET /healthz': { operationId: 'getLiveness' },
  'GET /readyz': { operationId: 'getReadiness', errors: ['UNAVAILABLE', 'ENDING'] },
  'GET /openapi.json': { operationId: 'getDocument' },
  'GET /docs': { operationId: 'getDocs', produces: ['text/html'] },
  'POST /graphql': {
    operationId: 'queryGraph',
    errors: [
      'DOCUMENT_SYNTAX',
      'DOCUMENT_INVALID',
      'VARIABLES_INVALID',
      'DOCUMENT_TOO_LARGE',
      'TOO_MANY_OPERATIONS',
      'TOO_MANY_ALIASES',
      'TOO_DEEP',
      'TOO_COMPLEX',
      'UNKNOWN_OPERATION',
      'OPERATION_NOT_ALLOWED',
      'BATCHING_NOT_ALLOWED',
      'FORBIDDEN',
      'FOREIGN_ORIGIN',
      'STORAGE_FULL',
    ],
    body: {
      query: 'query Batch($id: ID!) { batch(id: $id) { id status total counts { completed failed } } }',
      operationName: 'Batch',
      variables: { id: BATCH },
    },
    produces: ['application/graphql-response+json'],
    asks: {
      accept: 'application/graphql-response+json: the reply is of that type, and a refusal has `errors` alone',
    },
  },
  'GET /graphql': {
    operationId: 'openGraph',
    errors: ['FOREIGN_ORIGIN', 'METHOD_NOT_ALLOWED', 'RATE_LIMITED', 'TOO_MANY_SOCKETS', 'SOCKETS_BUSY'],
    scope: 'read',
    produces: ['text/html'],
    bare: { 101: 'Switching protocols: graphql-transport-ws follows' },
  },
};

/** `GET /api/plates/:id/wells` → `getPlatesByIdWells`. */
export const defaultOperationId = (method: string, url: string): string =>
  method.toLowerCase() +
  url
    .split('/')
    .filter((part) => part !== '' && part !== 'api')
    .map((part) => (part.startsWith(':') ? `By-${part.slice(1)}` : part))
    .flatMap((part) => part.split(/[^A-Za-z0-9]/))
    .filter(Boolean)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
