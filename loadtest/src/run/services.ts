import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import type { Browser } from 'puppeteer-core';
import { startService } from '../../../service/src/supervise.ts';
import { createHttpClient, type HttpClient } from '../drivers/http-client.ts';
import { launchBrowser } from '../environment/browser.ts';
import { startEnvironment, type Environment, type EnvironmentKind } from '../environment/index.ts';
import type { Stop } from './stop.ts';

export interface ServicesOptions {
  environment: EnvironmentKind;
  workers: number;
  /** Settings for the service besides those that every run has. */
  settings?: Record<string, string>;
  log: (line: string) => void;
  stop: Stop;
}
export interface Services {
  environment: Environment;
  url: string;
  key: string;
  dataDir: string;
  settings: Record<string, string>;
  processes: { role: string; pid: number; metricsUrl: string }[];
  sql: Sql;
  client: HttpClient;
  browser: Browser;
  browserVersion: string;
  close(): Promise<void>;
}

/**
 * Lifted rate limits, both socket modes open, self-test pages served: the same for the optimized page and the naive one, so
 * that only the page and its socket mode differ between them.
 */
const HARNESS_SETTINGS = { RATE_LIMITS: 'off', ALLOW_UNBATCHED_EVENTS: '1', SELFTEST_PAGES: '1', LOG_LEVEL: 'warn' };

/** Brings up servers, service and browser in this order, and takes them down in the other one, whatever has failed between. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { workers, log, stop } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed())
      await closer().catch((error: unknown) => log(`while stopping: ${String(error)}`));
  };
  let closing = false;
  try {
    const environment = await startEnvironment({ kind: options.environment, log, signal: stop.signal });
    closers.push(() => environment.stop());
    void environment.died.then(({ what, detail }) => closing || stop.lost(`${what} is gone: ${detail}`));

    const key = randomBytes(24).toString('hex');
    const dataDir = join(environment.tempDir, 'data');
    const settings = { ...HARNESS_SETTINGS, BOOTSTRAP_API_KEY: key, ...options.settings };
    const service = await startService({
      databaseUrl: environment.databaseUrl,
      queueRedisUrl: environment.queueRedisUrl,
      cacheRedisUrl: environment.cacheRedisUrl,
      dataDir,
      port: 0,
      workers,
      env: { ...environment.env, ...settings },
      log: (role, line) => log(`${role}: ${line}`),
      onGroup: (pid) => environment.watchGroup(pid),
    });
    closers.push(() => service.stop());
    void service.exited.then(
      ({ role, code, signal }) => closing || stop.lost(`${role} of the service ended: ${signal ?? `code ${code}`}`),
    );

    const sql = postgres(environment.databaseUrl, { max: 2, onnotice: () => {} });
    closers.push(() => sql.end({ timeout: 2 }));
    const client = createHttpClient({ baseUrl: service.url, key, connections: 64 });
    closers.push(() => Promise.resolve(client.close()));

    const launched = await launchBrowser({
      tempDir: environment.tempDir,
      env: environment.env,
      log,
      onGroup: (pid) => environment.watchGroup(pid),
    });
    closers.push(() => launched.close());
    launched.browser.on('disconnected', () => closing || stop.lost('the browser ended'));
    return {
      environment,
      url: service.url,
      key,
      dataDir,
      settings,
      processes: service.processes,
      sql,
      client,
      browser: launched.browser,
      browserVersion: launched.version,
      close() {
        closing = true;
        return close();
      },
    };
  } catch (error) {
    closing = true;
    await close();
    throw error;
  }
}
