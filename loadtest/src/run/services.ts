import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import type { Browser } from 'puppeteer-core';
import type { RestartPolicy } from '../../../service/src/restart-policy.ts';
import { startService } from '../../../service/src/supervise.ts';
import { createHttpClient, type HttpClient } from '../drivers/http-client.ts';
import { launchBrowser, type LaunchedBrowser } from '../environment/browser.ts';
import {
  EnvironmentError,
  startEnvironment,
  type Addresses,
  type Environment,
  type EnvironmentKind,
} from '../environment/index.ts';
import { createClosers } from './closers.ts';
import { orStop, type Stop } from './stop.ts';

/** What phases need of an environment: its addresses, folder and names. */
export type Ground = Pick<
  Environment,
  | 'kind'
  | 'databaseUrl'
  | 'queueRedisUrl'
  | 'cacheRedisUrl'
  | 'tempDir'
  | 'env'
  | 'servers'
  | 'versions'
  | 'notes'
  | 'watchGroup'
  | 'control'
>;
export interface Services {
  environment: Ground;
  url: string;
  key: string;
  dataDir: string;
  processes: { role: string; pid: number; metricsUrl: string }[];
  sql: Sql;
  client: HttpClient;
  browser: Browser;
  browserVersion: string;
  close(): Promise<void>;
}
export interface ServiceOptions {
  workers: number;
  /** Settings for the service besides those that every run has. */
  settings?: Record<string, string>;
  log: (line: string) => void;
  stop: Stop;
  /** Roles that end are started again; without it an end is the run's. */
  restart?: RestartPolicy;
  /** What depends on the ground: where the service finds its servers, when it is not where they are, and further settings. */
  prepare?: (ground: Ground) => Promise<{ addresses: Addresses; settings: Record<string, string> }>;
}

/**
 * Lifted rate limits, both socket modes open, self-test pages served: the same for the optimized page and the naive one, so
 * that only the page and its socket mode differ between them.
 */
const HARNESS_SETTINGS = { RATE_LIMITS: 'off', ALLOW_UNBATCHED_EVENTS: '1', SELFTEST_PAGES: '1', LOG_LEVEL: 'warn' };

/** Starts the service on a ground that stands, and the clients that speak to it. `close` leaves ground and browser as they are. */
export async function startOn(ground: Ground, launched: LaunchedBrowser, options: ServiceOptions): Promise<Services> {
  const { workers, log, stop } = options;
  const key = randomBytes(24).toString('hex');
  const dataDir = join(ground.tempDir, 'data');
  let closing = false;
  const prepared = await options.prepare?.(ground);
  const settings = { ...options.settings, ...prepared?.settings };
  const { databaseUrl, queueRedisUrl, cacheRedisUrl } = prepared?.addresses ?? ground;
  const service = await startService({
    databaseUrl,
    queueRedisUrl,
    cacheRedisUrl,
    dataDir,
    port: 0,
    workers,
    env: { ...ground.env, ...HARNESS_SETTINGS, BOOTSTRAP_API_KEY: key, ...settings },
    log: (role, line) => log(`${role}: ${line}`),
    onGroup: (pid) => ground.watchGroup(pid),
    signal: stop.signal,
    ...(options.restart ? { restart: options.restart } : {}),
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(`the service did not start: ${why}`, { cause: error });
  });
  void service.exited.then(
    ({ role, code, signal }) => closing || stop.lost(`${role} of the service ended: ${signal ?? `code ${code}`}`),
  );
  const sql = postgres(ground.databaseUrl, { max: 2, onnotice: () => {} });
  const client = createHttpClient({ baseUrl: service.url, key, connections: 64 });
  return {
    environment: ground,
    url: service.url,
    key,
    dataDir,
    processes: service.processes,
    sql,
    client,
    browser: launched.browser,
    browserVersion: launched.version,
    async close() {
      closing = true;
      client.close();
      await sql.end({ timeout: 2 });
      await service.stop();
    },
  };
}

/** A server's last lines can be many; the first ones say why. */
const firstWords = (text: string, most = 300): string => (text.length > most ? `${text.slice(0, most)} …` : text);

/** Brings up servers, browser and service, and takes them down in the other order, whatever has failed between. */
export async function startAll(options: ServiceOptions & { environment: EnvironmentKind }): Promise<Services> {
  const { log, stop } = options;
  const closers = createClosers(log);
  let closing = false;
  const close = (): Promise<void> => {
    closing = true;
    return closers.closeAll();
  };
  try {
    const environment = await startEnvironment({ kind: options.environment, log, signal: stop.signal });
    closers.add(() => environment.stop());
    void environment.died.then(({ what, detail }) => closing || stop.lost(`${what} is gone: ${firstWords(detail)}`));
    const { tempDir, env } = environment;
    const onGroup = (pid: number) => environment.watchGroup(pid);
    const onLost = (cause: string) => closing || stop.lost(cause);
    const launched = await launchBrowser({ tempDir, env, log, onGroup, signal: stop.signal, onLost });
    closers.add(() => launched.close());
    const starting = startOn(environment, launched, options);
    // A stop does not wait for a start that is under way; what comes of it is closed all the same.
    closers.add(() =>
      starting.then(
        (services) => services.close(),
        () => {},
      ),
    );
    return { ...(await orStop(stop.signal, starting)), close };
  } catch (error) {
    await close();
    throw error;
  }
}
