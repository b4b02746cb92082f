import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SETTINGS, type Setting } from './settings.ts';

type Field = keyof typeof SETTINGS;

/** What each setting does, in one line, in groups that an operator thinks in. A setting without a line does not compile. */
const GROUPS = [
  [
    'Process and addresses',
    [
      'role',
      'environment',
      'host',
      'port',
      'basePath',
      'metricsHost',
      'metricsPort',
      'trustedProxies',
      'corsOrigins',
      'logLevel',
    ],
  ],
  [
    'Servers and folders',
    [
      'databaseUrl',
      'databasePool',
      'databaseRole',
      'tenantPool',
      'tenantsMax',
      'databaseLostMs',
      'drainMs',
      'queueRedisUrl',
      'cacheRedisUrl',
      'queuePrefix',
      'dataDir',
      'collectAfterMs',
      'exportKeepMs',
      'modelsDir',
      'dashboardsDir',
      'resultsDir',
    ],
  ],
  [
    'Workers and inference',
    [
      'workers',
      'workerConcurrency',
      'pool',
      'provider',
      'maxBatch',
      'batchDelayMs',
      'inferenceQueue',
      'inferenceQueueTimeoutMs',
      'inferenceTimeoutMs',
      'workerMemoryBytes',
      'warmupSides',
      'modelCheckMs',
      'leaseMs',
      'queueWindow',
      'failurePauseRatio',
    ],
  ],
  ['Switches', ['eventBatching', 'bulkResults', 'resultCache', 'cache', 'compression', 'rateLimits', 'loadShedding']],
  ['Events', ['eventWindowMs', 'allowUnbatchedEvents', 'eventLogMs', 'eventLogFrames']],
  ['Caching and compression', ['cacheTtlSeconds', 'brotliQuality', 'gzipLevel', 'zstdLevel']],
  [
    'Keys and limits',
    [
      'bootstrapApiKey',
      'sessionSeconds',
      'keyTrustMs',
      'rateRequests',
      'rateUploads',
      'rateReads',
      'rateExports',
      'rateAddress',
      'maxFileBytes',
      'maxImagePixels',
      'maxJsonBytes',
      'maxRequests',
      'maxUploads',
      'shedDelayMs',
    ],
  ],
  [
    'Connections and slow clients',
    [
      'headersTimeoutMs',
      'requestTimeoutMs',
      'slowBodyMs',
      'slowReaderMs',
      'slowBytesPerSecond',
      'connections',
      'connectionsPerAddress',
      'sockets',
      'socketsEach',
    ],
  ],
  ['Decoding of uploads', ['decodeWorkers', 'decodeTimeoutMs', 'decodeCpuSeconds', 'decodeMemoryBytes']],
  ['Pictures', ['pictureWorkers', 'pictureQueue', 'pictureTimeoutMs', 'pictureCacheBytes']],
  [
    'CDN and signed addresses',
    [
      'cdnBaseUrl',
      'urlSigningKey',
      'urlTtlSeconds',
      'cdnPurge',
      'cdnPurgeHosts',
      'cdnPurgeId',
      'cdnPurgeKeyId',
      'cdnPurgeToken',
      'cdnPurgeMethod',
      'cdnPurgeUrl',
    ],
  ],
  ['For tests and measurements', ['selftestPages', 'plant', 'crashPoints']],
] as const satisfies readonly (readonly [string, readonly Field[]])[];

const ABOUT: Record<Field, string> = {
  role: 'what this process is; several APIs and workers may run, and relays of which one leads',
  environment: 'production: no introspection and no page to try queries with at /graphql',
  host: 'address that the API listens on',
  port: 'port that the API listens on; 0: any free one',
  basePath: 'the folder of a site that a proxy gives to the service; docs/operating.md',
  metricsHost:
    'address that /metrics listens on without a key; beyond this machine only where Prometheus alone reaches it',
  metricsPort: 'port of /metrics without a key; 0: any free one',
  trustedProxies: 'proxies whose X-Forwarded-For and -Proto are believed; empty: nobody’s',
  corsOrigins: 'other sites whose pages may use the interface with a key of their own; empty: none',
  logLevel: 'least severe message that is written',
  databaseUrl: 'PostgreSQL',
  databasePool: 'connections that each process keeps at most',
  databaseRole:
    'Role that the API reads tenants’ rows as, beside `NAME_service`; made at the start where it is missing. `off`: no row-level security, one tenant only, and a warning at each start',
  tenantPool: 'Connections that an API process opens for each tenant but the first, closed after 30 s without use',
  tenantsMax: 'Tenants that may be made, the first included',
  databaseLostMs: 'a process whose database does not answer for this long ends',
  queueRedisUrl: 'Redis of the queue (noeviction, AOF)',
  cacheRedisUrl: 'Redis of cache and rate limits (LRU)',
  queuePrefix: 'start of every key in both Redis',
  dataDir: 'uploaded files, exports and derived pictures',
  modelsDir: 'models, one folder each',
  dashboardsDir: 'the built pages',
  resultsDir: 'runs of the bench, for the page that shows them; only read',
  workers: 'inference child processes of a worker',
  workerConcurrency:
    'images that a worker takes from the queue for each place of a batch, at most; slow executions: fewer',
  pool: 'who runs the inference',
  provider: 'execution provider of ONNX Runtime',
  maxBatch: 'images that one execution may have; 1 on a CPU, where more gain nothing',
  batchDelayMs: 'how long an image waits for company while every worker is busy',
  inferenceQueue: 'images that may wait in one worker process; what is over is refused at once',
  inferenceQueueTimeoutMs: 'an image that waits longer for an inference child fails with TIMEOUT',
  workerMemoryBytes:
    'of one inference child: no larger batch is made, and an image that needs more fails with OUT_OF_MEMORY',
  warmupSides: 'square shapes that each child runs before it is ready, and is measured with',
  modelCheckMs: 'how often a worker looks for a newer version of its model',
  inferenceTimeoutMs: 'an inference that takes longer is killed, and the image fails with TIMEOUT',
  leaseMs: 'an image whose worker says nothing for this long is handed out again',
  queueWindow: 'jobs that may be in Redis at once',
  failurePauseRatio: 'a batch pauses itself when more of its last 200 images failed; 1: never',
  eventBatching: 'off: every event is sent at once, in a frame of its own',
  bulkResults: 'off: pages fetch results one by one',
  resultCache: 'off: equal bytes, model and parameters are inferred again',
  cache: 'off: lists and details are read from PostgreSQL each time',
  compression: 'off: replies are sent as they are',
  rateLimits: 'off: nothing is limited',
  loadShedding: 'off: every request is taken on, however many there are',
  maxRequests:
    'requests that an API process has open at most, uploads and sockets apart; what is over is refused with 503',
  maxUploads: 'uploads that an API process takes at once; what is over is refused with 503',
  shedDelayMs: 'a turn of the event loop that takes longer on average makes an API process take on fewer requests',
  drainMs:
    'behind a balancer: how long a process that ends says so at /readyz before it stops listening; twice the interval of the check',
  eventWindowMs: 'events are gathered this long before they are sent',
  allowUnbatchedEvents: 'on: a socket may ask for one event a frame (window=0)',
  eventLogMs: 'sent events stay replayable this long',
  eventLogFrames: 'replayable frames that a project keeps at most',
  cacheTtlSeconds: 'cached lists and details are forgotten after this long; changes empty them at once',
  brotliQuality: 'of br replies; above 5 costs more time than it saves on a local line',
  gzipLevel: 'of gzip replies',
  zstdLevel: 'of zstd replies',
  bootstrapApiKey: 'the first key, all scopes; empty: one is made and shown once',
  sessionSeconds: 'life of a session cookie',
  keyTrustMs: 'how long a key is believed without asking PostgreSQL; revocations act at once all the same',
  rateRequests: 'requests a minute and key, but for those below',
  rateUploads: 'uploads a minute and key',
  rateReads: 'reads of single results, pictures and files a minute and key',
  rateExports: 'exports a minute and key',
  rateAddress: 'requests a minute and address without a key that is known to be good, sign-ins among them',
  exportKeepMs: 'exports are removed this long after they were written; who downloads one keeps it',
  collectAfterMs: 'bytes and results that no image has any more are removed after this long',
  maxFileBytes: 'largest file of an upload',
  maxImagePixels: 'largest image, width times height',
  decodeWorkers: 'child processes of an API process that decode uploads, started when there are some',
  decodeTimeoutMs: 'an upload whose decoding takes longer is refused with INVALID_IMAGE, and its process killed',
  decodeCpuSeconds:
    'CPU time that an upload or a picture has for certain; the kernel ends its process at three times as much (RLIMIT_CPU)',
  decodeMemoryBytes:
    'memory that a process which decodes uploads or draws pictures may have beside its own start (RLIMIT_DATA)',
  pictureWorkers: 'child processes of an API process that draw pictures, started when there is something to draw',
  pictureQueue: 'pictures of an API process that wait to be drawn; over that 503 PICTURES_BUSY',
  pictureTimeoutMs: 'a picture that takes longer is given up with 503 PICTURE_FAILED, and its process killed',
  pictureCacheBytes: 'drawn pictures kept on disk; over that the least recently used go, down to nine tenths',
  cdnBaseUrl: 'what the addresses of pictures and files in answers begin with; empty: they are paths of this server',
  urlSigningKey: 'signs addresses: the first signs, all are believed; empty: one is made and kept in DATA_DIR',
  urlTtlSeconds: 'signed addresses hold this long at least, and half as long again at most',
  cdnPurge: 'which CDN is told of deleted images and replaced results; docs/cdn.md',
  cdnPurgeHosts: 'hosts that purges may be sent to; without one none is sent',
  cdnPurgeId: 'distribution (cloudfront), zone (cloudflare) or service (fastly)',
  cdnPurgeKeyId: 'access key id (cloudfront)',
  cdnPurgeToken: 'secret access key (cloudfront), API token (cloudflare, fastly), bearer token (custom)',
  cdnPurgeMethod: 'method of a custom purge',
  cdnPurgeUrl: 'address of a custom purge; {id}, {path} and {what} are filled in',
  maxJsonBytes: 'largest JSON body, after decompression',
  requestTimeoutMs: 'a request must have arrived whole by then',
  headersTimeoutMs: 'the head of a request must have arrived by then',
  slowBodyMs: 'a body that is waited for and brings too little for this long ends its connection with 408',
  slowReaderMs: 'an answer of which too little is taken for this long ends its connection',
  slowBytesPerSecond: 'what too little is, for bodies and answers',
  connections: 'connections that an API process has open at most; one more is closed at once',
  connectionsPerAddress: 'of one address (IPv6: of one /64), but for TRUSTED_PROXIES',
  sockets: 'WebSockets that an API process has open at most; over that 503 SOCKETS_BUSY',
  socketsEach: 'WebSockets of one key, and of one address, in an API process; over that 429 TOO_MANY_SOCKETS',
  selftestPages: 'on: serves the page that blocks on purpose',
  plant: 'violations planted on purpose; only with NODE_ENV=test',
  crashPoints: 'processes die where a file in this folder says, and disks are full; only with NODE_ENV=test',
};

export interface SettingHelp {
  name: string;
  fallback: string;
  allowed: string;
  about: string;
}

/** A default as it would be set; `–` where there is none, or where it depends on the machine. */
function fallbackText({ fallback, secret, allowed }: Setting<unknown>): string {
  if (fallback === undefined || secret === true || allowed === 'a folder') return '–';
  if (typeof fallback === 'boolean') return fallback ? 'on' : 'off';
  if (typeof fallback === 'number' || (typeof fallback === 'string' && fallback !== '')) return String(fallback);
  return '–';
}

/** All settings with their lines, grouped; whatever no group names comes last. */
export function settingsHelp(): { title: string; settings: SettingHelp[] }[] {
  const help = (field: Field): SettingHelp => {
    const setting: Setting<unknown> = SETTINGS[field];
    return { name: setting.name, fallback: fallbackText(setting), allowed: setting.allowed, about: ABOUT[field] };
  };
  const named = new Set<string>(GROUPS.flatMap(([, fields]) => fields));
  const others = (Object.keys(SETTINGS) as Field[]).filter((field) => !named.has(field));
  return [...GROUPS, ['Others', others] as const]
    .filter(([, fields]) => fields.length > 0)
    .map(([title, fields]) => ({ title, settings: fields.map(help) }));
}

/** For a terminal. */
export function settingsText(): string {
  const groups = settingsHelp();
  const width = Math.max(...groups.flatMap(({ settings }) => settings.map(({ name }) => name.length)));
  const indent = ' '.repeat(width + 4);
  return groups
    .map(({ title, settings }) =>
      [
        `${title}:`,
        ...settings.map(
          ({ name, about, fallback, allowed }) =>
            `  ${name.padEnd(width)}  ${about}\n${indent}${allowed}${fallback === '–' ? '' : `; default ${fallback}`}`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
}

/** `docs/settings.md`. */
export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const tables = settingsHelp().map(({ title, settings }) => [
    `## ${title}`,
    '',
    '| setting | default | allowed | what it does |',
    '| --- | --- | --- | --- |',
    ...settings.map(
      ({ name, fallback, allowed, about }) =>
        `| \`${name}\` | ${fallback === '–' ? '–' : `\`${fallback}\``} | ${cell(allowed)} | ${cell(about)} |`,
    ),
    '',
  ]);
  return [
    '# Settings',
    '',
    'Made from `service/src/settings.ts` by `node service/src/settings-help.ts`; not edited by hand. `npm start -- --help` prints the same.',
    '',
    'Each is an environment variable, read and checked once at the start of a process. One that is not allowed ends the start with its name,',
    'its value and what is expected. `npm start` decides role, ports, servers and folders itself. A switch takes `on` or `off`; what it is',
    'worth is measured with `npm run bench -- --without NAME` ([measuring.md](measuring.md)). Limits, compression and several API processes:',
    '[operating.md](operating.md).',
    '',
    ...tables.flat(),
  ].join('\n');
}

if (import.meta.main)
  writeFileSync(fileURLToPath(new URL('../../docs/settings.md', import.meta.url)), settingsMarkdown());
