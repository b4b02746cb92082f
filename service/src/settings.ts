import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { hideCredentials, parseKserveUrls } from './inference/kserve/urls.ts';

export interface Setting<T> {
  /** Name of the environment variable. */
  name: string;
  fallback: T | undefined;
  /** What a good value looks like, for the error message. */
  allowed: string;
  parse: (text: string) => T;
  secret?: boolean;
  /** What of a value may be shown; all of it where absent. */
  shown?: (text: string) => string;
}

const refuse = (): never => {
  throw new RangeError('not allowed');
};
const root = fileURLToPath(new URL('../..', import.meta.url));

const integer = (name: string, fallback: number | undefined, low: number, high: number): Setting<number> => ({
  name,
  fallback,
  allowed: `an integer from ${low} to ${high}`,
  parse: (text) => (/^\d+$/.test(text) && Number(text) >= low && Number(text) <= high ? Number(text) : refuse()),
});
const number = (name: string, fallback: number, low: number, high: number): Setting<number> => ({
  name,
  fallback,
  allowed: `a number from ${low} to ${high}`,
  parse: (text) => {
    const value = Number(text);
    return value >= low && value <= high ? value : refuse();
  },
});
const flag = (name: string, fallback: boolean): Setting<boolean> => ({
  name,
  fallback,
  allowed: '1, 0, on or off',
  parse: (text) =>
    ['1', 'on', 'true'].includes(text) ? true : ['0', 'off', 'false'].includes(text) ? false : refuse(),
});
const choice = <const T extends readonly string[]>(
  name: string,
  values: T,
  fallback: T[number],
): Setting<T[number]> => ({
  name,
  fallback,
  allowed: `one of ${values.join(', ')}`,
  parse: (text) => values.find((value) => value === text) ?? refuse(),
});
const url = (name: string, protocols: string[]): Setting<string> => ({
  name,
  fallback: undefined,
  allowed: `a URL starting with ${protocols.join(' or ')}`,
  parse: (text) => (URL.canParse(text) && protocols.includes(new URL(text).protocol + '//') ? text : refuse()),
  secret: true,
});
const text = (name: string, fallback: string, pattern: RegExp, allowed: string): Setting<string> => ({
  name,
  fallback,
  allowed,
  parse: (value) => (pattern.test(value) ? value : refuse()),
});
const folder = (name: string, fallback: string): Setting<string> => ({
  name,
  fallback: resolve(fallback),
  allowed: 'a folder',
  parse: (value) => resolve(value),
});
/** Names that stand for whole ranges of private addresses. */
const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
/** One address, or a range of them. `/0` is refused: it would let everybody choose the address that counts. */
function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = new Map([
    [4, 32],
    [6, 128],
  ]).get(isIP(address));
  if (most === undefined || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most);
}
const proxies = (name: string): Setting<readonly string[]> => ({
  name,
  fallback: [],
  allowed: `a comma list of addresses, ranges such as 10.0.0.0/8, ${PROXY_NAMES.join(', ')}`,
  parse(text) {
    const parts = text.split(',').map((part) => part.trim());
    return parts.every((part) => PROXY_NAMES.includes(part) || isAddressRange(part)) ? parts : refuse();
  },
});

const sides = (name: string, fallback: readonly number[]): Setting<readonly number[]> => ({
  name,
  fallback,
  allowed: 'a comma list of 1 to 8 sides in pixels, multiples of 64 from 64 to 1536',
  parse(text) {
    const list = text.split(',').map((part) => (/^ *\d{2,4} *$/.test(part) ? Number(part) : refuse()));
    const good = list.length <= 8 && list.every((side) => side % 64 === 0 && side >= 64 && side <= 1536);
    return good ? list : refuse();
  },
});

function isPool(text: string): boolean {
  if (!text.startsWith('kserve:')) return text === 'local' || /^sim:.+$/.test(text);
  try {
    return parseKserveUrls(text).length > 0;
  } catch {
    return false;
  }
}

/** An origin, perhaps with a folder; no slash at its end, so that a path can follow. */
const baseUrl = (name: string): Setting<string> => ({
  name,
  fallback: '',
  allowed: 'an http or https URL without query, such as https://cdn.example.org',
  parse: (text) => {
    if (!URL.canParse(text)) return refuse();
    const { protocol, username, search, hash, origin, pathname } = new URL(text);
    if (!/^https?:$/.test(protocol) || username !== '' || search !== '' || hash !== '') return refuse();
    return origin + pathname.replace(/\/+$/, '');
  },
});
/** A folder of a site, with a slash before it and none behind it; empty for the site's root. */
const basePath = (name: string): Setting<string> => ({
  name,
  fallback: '',
  allowed: 'a path of letters, digits, -, _, . and ~, such as /segbench',
  parse: (text) => (/^(\/(?!\.{0,2}(\/|$))[\w.~-]+)*\/?$/.test(text) ? text.replace(/\/$/, '') : refuse()),
});
const HOST = /^[a-z\d.-]+(:\d{1,5})?$/;
const hosts = (name: string): Setting<readonly string[]> => ({
  name,
  fallback: [],
  allowed: 'a comma list of host or host:port',
  parse: (text) => {
    const parts = text.split(',').map((part) => part.trim().toLowerCase());
    return parts.every((part) => HOST.test(part)) ? parts : refuse();
  },
});

/** Pages of other sites; `https://example.org`, each as a browser writes it. */
const origins = (name: string): Setting<readonly string[]> => ({
  name,
  fallback: [],
  allowed: 'a comma list of origins such as https://example.org, without path',
  parse: (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const isOrigin = (part: string) =>
      URL.canParse(part) &&
      /^https?:$/.test(new URL(part).protocol) &&
      new URL(part).origin === part &&
      !part.includes('*');
    return parts.every(isOrigin) ? parts : refuse();
  },
});

/** All settings of the service. What each does, and which belong together: `settings-help.ts`. */
export const SETTINGS = {
  role: choice('SEGBENCH_ROLE', ['api', 'relay', 'worker'], 'api'),
  host: text('HOST', '127.0.0.1', /^[\w.:-]+$/, 'an address to listen on'),
  port: integer('PORT', 8080, 0, 65_535),
  metricsHost: text('METRICS_HOST', '127.0.0.1', /^[\w.:-]+$/, 'an address to listen on'),
  metricsPort: integer('METRICS_PORT', 0, 0, 65_535),
  basePath: basePath('BASE_PATH'),
  databaseUrl: url('DATABASE_URL', ['postgres://', 'postgresql://']),
  databasePool: integer('DATABASE_POOL', 10, 1, 200),
  databaseRole: text('DATABASE_ROLE', 'segbench_api', /^(?!pg_)[a-z_][a-z0-9_]{1,40}$/, 'the name of a role, or off'),
  tenantPool: integer('TENANT_POOL', 4, 1, 200),
  tenantsMax: integer('TENANTS_MAX', 16, 1, 10_000),
  queueRedisUrl: url('QUEUE_REDIS_URL', ['redis://', 'rediss://']),
  cacheRedisUrl: url('CACHE_REDIS_URL', ['redis://', 'rediss://']),
  queuePrefix: text('QUEUE_PREFIX', 'sb', /^[\w-]{1,40}$/, '1 to 40 letters, digits, - or _'),
  dataDir: folder('DATA_DIR', resolve(tmpdir(), 'segbench-data')),
  modelsDir: folder('MODELS_DIR', resolve(root, 'service/models')),
  dashboardsDir: folder('DASHBOARDS_DIR', resolve(root, 'dashboards/dist')),
  resultsDir: folder('RESULTS_DIR', resolve(root, 'bench-results')),
  workers: integer('WORKERS', 2, 1, 256),
  workerConcurrency: integer('WORKER_CONCURRENCY', 8, 1, 1000),
  /** URLs may hold credentials. */
  pool: {
    name: 'POOL',
    fallback: 'local',
    allowed: 'local, sim:PROFILE or kserve:URL[,URL…], each an http or https URL without query',
    parse: (value) => (isPool(value) ? value : refuse()),
    shown: hideCredentials,
  } satisfies Setting<string>,
  provider: choice('PROVIDER', ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'], 'cpu'),
  maxBatch: integer('MAX_BATCH', 1, 1, 64),
  batchDelayMs: integer('BATCH_DELAY_MS', 0, 0, 60_000),
  inferenceQueue: integer('INFERENCE_QUEUE', 10_000, 1, 1_000_000),
  inferenceQueueTimeoutMs: integer('INFERENCE_QUEUE_TIMEOUT_MS', 600_000, 100, 86_400_000),
  workerMemoryBytes: integer('WORKER_MEMORY_BYTES', 3_000_000_000, 2 ** 28, 2 ** 40),
  warmupSides: sides('WARMUP_SIDES', [256, 512]),
  modelCheckMs: integer('MODEL_CHECK_MS', 5_000, 100, 3_600_000),
  maxFileBytes: integer('MAX_FILE_BYTES', 20 * 1024 * 1024, 1024, 2 ** 31),
  maxImagePixels: number('MAX_IMAGE_PIXELS', 64e6, 1, 1e10),
  decodeWorkers: integer('DECODE_WORKERS', 2, 1, 64),
  decodeTimeoutMs: integer('DECODE_TIMEOUT_MS', 60_000, 100, 600_000),
  decodeCpuSeconds: integer('DECODE_CPU_SECONDS', 20, 1, 3_600),
  decodeMemoryBytes: integer('DECODE_MEMORY_BYTES', 1024 ** 3, 2 ** 26, 2 ** 40),
  pictureWorkers: integer('PICTURE_WORKERS', 2, 1, 64),
  pictureQueue: integer('PICTURE_QUEUE', 256, 0, 100_000),
  pictureTimeoutMs: integer('PICTURE_TIMEOUT_MS', 30_000, 100, 600_000),
  pictureCacheBytes: integer('PICTURE_CACHE_BYTES', 2 * 1024 ** 3, 0, 2 ** 50),
  cdnBaseUrl: baseUrl('CDN_BASE_URL'),
  urlSigningKey: {
    ...text(
      'URL_SIGNING_KEY',
      '',
      /^[\x21-\x2b\x2d-\x7e]{32,512}(,[\x21-\x2b\x2d-\x7e]{32,512}){0,3}$/,
      '1 to 4 keys of 32 to 512 printable characters, with commas between',
    ),
    secret: true,
  },
  urlTtlSeconds: integer('URL_TTL_SECONDS', 86_400, 60, 604_800),
  cdnPurge: choice('CDN_PURGE', ['off', 'cloudfront', 'cloudflare', 'fastly', 'custom'], 'off'),
  cdnPurgeHosts: hosts('CDN_PURGE_HOSTS'),
  cdnPurgeId: text('CDN_PURGE_ID', '', /^[\w-]{1,64}$/, '1 to 64 letters, digits, - or _'),
  cdnPurgeKeyId: text('CDN_PURGE_KEY_ID', '', /^\w{16,128}$/, '16 to 128 letters, digits or _'),
  cdnPurgeToken: {
    ...text('CDN_PURGE_TOKEN', '', /^[\x21-\x7e]{8,512}$/, '8 to 512 printable characters'),
    secret: true,
  },
  cdnPurgeMethod: choice('CDN_PURGE_METHOD', ['PURGE', 'BAN', 'POST', 'DELETE', 'GET'], 'PURGE'),
  cdnPurgeUrl: text(
    'CDN_PURGE_URL',
    '',
    /^https?:\/\/[^\s{}/]+(\/([^\s{}]|\{(id|path|what)\})*)?$/,
    'an http or https URL with {id}, {path} or {what} behind its host',
  ),
  maxJsonBytes: integer('MAX_JSON_BYTES', 1024 * 1024, 1024, 2 ** 28),
  requestTimeoutMs: integer('REQUEST_TIMEOUT_MS', 30 * 60_000, 1_000, 86_400_000),
  headersTimeoutMs: integer('HEADERS_TIMEOUT_MS', 30_000, 1_000, 600_000),
  slowBodyMs: integer('SLOW_BODY_MS', 20_000, 100, 3_600_000),
  slowReaderMs: integer('SLOW_READER_MS', 60_000, 100, 3_600_000),
  slowBytesPerSecond: integer('SLOW_BYTES_PER_SECOND', 500, 1, 1_000_000),
  connections: integer('CONNECTIONS', 10_000, 1, 1_000_000),
  connectionsPerAddress: integer('CONNECTIONS_PER_ADDRESS', 2_000, 1, 1_000_000),
  sockets: integer('SOCKETS', 4_000, 1, 1_000_000),
  socketsEach: integer('SOCKETS_EACH', 1_000, 1, 1_000_000),
  corsOrigins: origins('CORS_ORIGINS'),
  trustedProxies: proxies('TRUSTED_PROXIES'),
  bootstrapApiKey: {
    ...text('BOOTSTRAP_API_KEY', '', /^[\x21-\x7e]{32,512}$/, '32 to 512 printable characters without blanks'),
    secret: true,
  },
  sessionSeconds: integer('SESSION_SECONDS', 12 * 3600, 60, 2_592_000),
  keyTrustMs: integer('KEY_TRUST_MS', 5_000, 0, 3_600_000),
  loadShedding: flag('LOAD_SHEDDING', true),
  maxRequests: integer('MAX_REQUESTS', 1_000, 8, 100_000),
  maxUploads: integer('MAX_UPLOADS', 64, 1, 10_000),
  shedDelayMs: integer('SHED_DELAY_MS', 8, 1, 10_000),
  /** How long a process that ends still answers after it has said that it is not ready. */
  drainMs: integer('DRAIN_MS', 0, 0, 5_000),
  rateLimits: flag('RATE_LIMITS', true),
  rateRequests: integer('RATE_REQUESTS', 600, 1, 10_000_000),
  rateUploads: integer('RATE_UPLOADS', 120, 1, 10_000_000),
  rateReads: integer('RATE_READS', 3_000, 1, 10_000_000),
  rateExports: integer('RATE_EXPORTS', 60, 1, 10_000_000),
  rateAddress: integer('RATE_ADDRESS', 300, 1, 10_000_000),
  allowUnbatchedEvents: flag('ALLOW_UNBATCHED_EVENTS', false),
  eventBatching: flag('EVENT_BATCHING', true),
  eventWindowMs: integer('EVENT_WINDOW_MS', 100, 1, 60_000),
  bulkResults: flag('BULK_RESULTS', true),
  resultCache: flag('RESULT_CACHE', true),
  cache: flag('CACHE', true),
  cacheTtlSeconds: integer('CACHE_TTL_SECONDS', 60, 1, 86_400),
  compression: flag('COMPRESSION', true),
  brotliQuality: integer('BROTLI_QUALITY', 4, 0, 9),
  gzipLevel: integer('GZIP_LEVEL', 6, 1, 9),
  zstdLevel: integer('ZSTD_LEVEL', 3, 1, 12),
  failurePauseRatio: number('FAILURE_PAUSE_RATIO', 0.2, 0, 1),
  leaseMs: integer('LEASE_MS', 10_000, 100, 3_600_000),
  /** Jobs that may be in Redis at once: enough to keep workers busy, few enough that a small project gets its turn soon. */
  queueWindow: integer('QUEUE_WINDOW', 500, 1, 5_000),
  /** How long sent frames stay replayable, and how many a project keeps at most. */
  eventLogMs: integer('EVENT_LOG_MS', 3_600_000, 1_000, 604_800_000),
  eventLogFrames: integer('EVENT_LOG_FRAMES', 50_000, 10, 1_000_000),
  /** Bytes and results that no image refers to any more are removed after this long. */
  collectAfterMs: integer('COLLECT_AFTER_MS', 3_600_000, 0, 604_800_000),
  /** Exports are removed this long after they were written. */
  exportKeepMs: integer('EXPORT_KEEP_MS', 30 * 86_400_000, 60_000, 31_536_000_000),
  /** A process whose database does not answer for this long gives up, and says so. */
  databaseLostMs: integer('DATABASE_LOST_MS', 15_000, 500, 600_000),
  inferenceTimeoutMs: integer('INFERENCE_TIMEOUT_MS', 20_000, 100, 3_600_000),
  /** `production` turns GraphQL's introspection and explorer off. */
  environment: text('NODE_ENV', '', /^[^\0]{1,100}$/, 'at most 100 characters'),
  logLevel: choice('LOG_LEVEL', ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], 'warn'),
  selftestPages: flag('SELFTEST_PAGES', false),
  /** Violations planted on purpose, so that each budget can be seen to fail. Refused outside of tests. */
  plant: {
    name: 'PLANT',
    fallback: new Set<string>() as ReadonlySet<string>,
    allowed: 'a comma list of names',
    parse: (value: string): ReadonlySet<string> => new Set(value.split(',').filter(Boolean)),
  },
  /** Places where a process dies on demand; see `crash-points.ts`. Refused outside of tests. */
  crashPoints: { ...folder('CRASH_POINTS', ''), fallback: '' },
} satisfies Record<string, Setting<unknown>>;
