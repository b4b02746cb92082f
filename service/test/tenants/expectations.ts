import type { Scope } from '#contract/common.ts';

/**
 * What a key of another tenant gets.
 * `missing`: for the id of what it does not own exactly what it gets for an id that nobody has.
 * `unlisted`: its own rows only. `bulk`: foreign ids come back as `missing`. `writes`: makes something, of its own.
 * `anybody`: needs no key. `denied`: 403, because the scope cannot be had in its tenant. `graph`, `socket`: see their own tests.
 */
export type Foreign = 'missing' | 'unlisted' | 'bulk' | 'writes' | 'anybody' | 'denied' | 'graph' | 'socket';
/** `key`: any good one. `nobody`: none is needed. */
export type Needs = Scope | 'key' | 'nobody';

/** Every operation of the document. A route that is not here fails the test, and so does one that is here and nowhere else. */
export const OPERATIONS: Readonly<Record<string, readonly [Needs, Foreign]>> = {
  getDocument: ['nobody', 'anybody'],
  getDocs: ['nobody', 'anybody'],
  getLiveness: ['nobody', 'anybody'],
  getReadiness: ['nobody', 'anybody'],
  createSession: ['nobody', 'anybody'],
  getSession: ['key', 'unlisted'],
  deleteSession: ['key', 'writes'],

  createProject: ['write', 'writes'],
  listProjects: ['read', 'unlisted'],
  getProject: ['read', 'missing'],
  updateProject: ['write', 'missing'],
  deleteProject: ['write', 'missing'],
  uploadImages: ['write', 'missing'],
  listImages: ['read', 'missing'],
  getIndex: ['read', 'missing'],
  getImage: ['read', 'missing'],
  getTimeline: ['read', 'missing'],
  deleteImage: ['write', 'missing'],
  getImageFile: ['read', 'missing'],
  renderImage: ['read', 'missing'],
  renderOverlay: ['read', 'missing'],
  getThumbnails: ['read', 'unlisted'],

  createBatch: ['write', 'missing'],
  forecastBatch: ['read', 'missing'],
  listForecasts: ['read', 'unlisted'],
  listBatches: ['read', 'missing'],
  getBatch: ['read', 'missing'],
  pauseBatch: ['write', 'missing'],
  resumeBatch: ['write', 'missing'],
  cancelBatch: ['write', 'missing'],
  retryBatch: ['write', 'missing'],
  getFailures: ['read', 'missing'],
  getQueue: ['read', 'unlisted'],
  getNow: ['read', 'unlisted'],
  openEvents: ['read', 'socket'],
  readResults: ['read', 'bulk'],
  getResult: ['read', 'missing'],
  createExport: ['read', 'missing'],
  getExport: ['read', 'missing'],
  downloadExport: ['read', 'missing'],
  queryGraph: ['key', 'graph'],
  openGraph: ['read', 'socket'],

  getHealth: ['metrics', 'denied'],
  getSummary: ['metrics', 'denied'],
  getPerformance: ['metrics', 'denied'],
  getSlowQueries: ['metrics', 'denied'],
  getEndpoints: ['metrics', 'denied'],
  getPrometheus: ['metrics', 'denied'],
  relayAlerts: ['metrics', 'denied'],

  listRuns: ['read', 'unlisted'],
  getRun: ['read', 'missing'],
  getRunReport: ['read', 'missing'],

  createKey: ['admin', 'writes'],
  listKeys: ['admin', 'unlisted'],
  deleteKey: ['admin', 'missing'],
  rotateKey: ['admin', 'missing'],
  listAudit: ['admin', 'unlisted'],
};

/** Every field of the three root types. */
export const FIELDS: Readonly<Record<string, Foreign>> = {
  me: 'unlisted',
  project: 'missing',
  projects: 'unlisted',
  image: 'missing',
  images: 'missing',
  batch: 'missing',
  batches: 'missing',
  result: 'missing',
  results: 'bulk',
  failures: 'missing',
  export: 'missing',
  exports: 'missing',
  queue: 'unlisted',

  createProject: 'writes',
  updateProject: 'missing',
  renameProject: 'missing',
  deleteProject: 'missing',
  deleteImages: 'bulk',
  startBatch: 'missing',
  pauseBatch: 'missing',
  resumeBatch: 'missing',
  cancelBatch: 'missing',
  retryBatch: 'missing',
  createExport: 'missing',

  segmentationProgress: 'socket',
};
