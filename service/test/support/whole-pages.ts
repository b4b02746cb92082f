import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtPages } from '../../../dashboards/test/built-pages.ts';
import { countToasts } from '../../../dashboards/test/gallery-page.ts';
import { launchBrowser } from '../../../loadtest/src/environment/browser.ts';
import { planSet } from '../../../loadtest/src/images/plan.ts';
import { EXTENSION, synthesise } from '../../../loadtest/src/images/synthesise.ts';
import type { UploadReply } from '#contract/images.ts';
import type { ArmedPoint, CrashPoint } from '../../src/crash-points.ts';
import { TEST_KEY } from './app.ts';
import { form } from './pictures.ts';
import { openSignedIn } from './signed-in.ts';
import { startWholeService } from './whole-service.ts';

export interface NamedFile {
  name: string;
  bytes: Uint8Array;
}
const SMALL = { minSide: 96, maxSide: 160, medianSide: 128, maxCells: 40 };
/** Pictures of cells as the bench makes them, small ones. */
export const cellFiles = (count: number): Promise<NamedFile[]> =>
  Promise.all(
    planSet(1, count, SMALL).map(async (plan) => ({
      name: `${plan.stem}.${EXTENSION[plan.format]}`,
      bytes: (await synthesise(1, plan)).file,
    })),
  );

/** All roles with real inference, their pages and a browser, for tests of what a person does there. */
export async function startWholePages(env: Record<string, string> = {}) {
  const pages = { BOOTSTRAP_API_KEY: TEST_KEY, DASHBOARDS_DIR: await builtPages(), RATE_LIMITS: 'off' };
  const service = await startWholeService({ ...pages, ...env });
  const launched = await launchBrowser({ tempDir: service.folder, env: {}, log: () => {} }).catch(
    async (error: unknown) => {
      await service.close();
      throw error;
    },
  );
  /** With `json` a POST of it. @returns the reply's JSON */
  async function call<T>(path: string, { json, ...init }: RequestInit & { json?: unknown } = {}): Promise<T> {
    const headers = new Headers({ authorization: `Bearer ${TEST_KEY}` });
    if (json !== undefined) headers.set('content-type', 'application/json');
    const sent = json === undefined ? init : { method: 'POST', body: JSON.stringify(json), ...init };
    const reply = await fetch(service.url + path, { ...sent, headers });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as T;
  }
  return {
    url: service.url,
    folder: service.folder,
    browser: launched.browser,
    call,
    open: (path: string, key = TEST_KEY) => openSignedIn(launched.browser, service.url, path, key),
    /** A gallery that is live, with what it asked for. Its toasts are counted. @param url of a line to the service */
    async gallery(projectId: string, url = service.url) {
      const { page, violations } = await openSignedIn(launched.browser, url, '/runs');
      await page.evaluateOnNewDocument(countToasts);
      const requests: string[] = [];
      page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
      await page.goto(`${url}/projects/${projectId}`);
      await page.waitForSelector('.connection-live');
      return { page, violations, requests };
    },
    /** A project of these files, in this order. */
    async project(name: string, files: readonly NamedFile[]) {
      const { id } = await call<{ id: string }>('/api/projects', { json: { name } });
      const upload = { method: 'POST', body: form([...files]) };
      const { images } = await call<UploadReply>(`/api/projects/${id}/images`, upload);
      return { id, images };
    },
    async close(): Promise<void> {
      await launched.close();
      await service.close();
    },
  };
}
export type WholePages = Awaited<ReturnType<typeof startWholePages>>;

/** Whole pages whose service waits at its crash points where a test says so. */
export async function startHeldPages() {
  const points = await mkdtemp(join(tmpdir(), 'segbench-points-'));
  const remove = () => rm(points, { recursive: true, force: true });
  const whole = await startWholePages({ CRASH_POINTS: points }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    ...whole,
    /** Whoever comes to the point after `after` others waits. @returns what lets them go */
    async hold(point: CrashPoint, after: number): Promise<() => Promise<void>> {
      const file = join(points, `${point}.hold`);
      await writeFile(file, JSON.stringify({ after, id: randomUUID() } satisfies ArmedPoint));
      return () => rm(file);
    },
    async close(): Promise<void> {
      await whole.close();
      await remove();
    },
  };
}
export type HeldPages = Awaited<ReturnType<typeof startHeldPages>>;
