import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Project, UploadReply } from '#contract/images.ts';
import { openObservedPage } from '../../../loadtest/src/drivers/browser/page.ts';
import { launchBrowser, type LaunchedBrowser } from '../../../loadtest/src/environment/browser.ts';
import { fakeBackend, until } from '../batches/fixture.ts';
import { startPath, type Path } from '../roles/path.ts';
import { TEST_KEY } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { startCollector, type Collector, type ReceivedSpan } from './collector.ts';

const IMAGES = 3;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

let collector: Collector;
let path: Path;
let folder: string;
let launched: LaunchedBrowser;

/** What `npm test` does before anything else; nothing where they are built already. */
async function buildPages(): Promise<void> {
  const module = new URL('../../../loadtest/bin/run/dashboards.mjs', import.meta.url).href;
  const { buildDashboards } = (await import(module)) as { buildDashboards: (signal: AbortSignal) => Promise<void> };
  await buildDashboards(new AbortController().signal);
}
beforeAll(async () => {
  await buildPages();
  folder = await mkdtemp(join(tmpdir(), 'segbench-traces-'));
  collector = await startCollector();
  [path, launched] = await Promise.all([
    startPath({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%20b',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      // only who asks for it is traced: the page's own requests are not in the way
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    }),
    launchBrowser({ tempDir: folder, env: {}, log: () => {} }),
  ]);
});
afterAll(async () => {
  await launched?.close();
  await path?.close();
  await collector?.close();
  await rm(folder, { recursive: true, force: true });
});

async function openGallery(projectId: string): Promise<void> {
  const options = {
    browser: launched.browser,
    baseUrl: path.server.url,
    path: `/projects/${projectId}`,
    key: TEST_KEY,
  };
  const { page } = await openObservedPage(options);
  await page.waitForSelector('[data-image-id]');
  await until(async () => (await path.server.app.events.clients()) > 0);
}

describe('an image that a traced request brought', () => {
  it('is followed from its upload to a real page under the caller’s trace id, and nothing else is', async () => {
    const { server } = path;
    const created = await server.call('/api/projects', { method: 'POST', json: { name: 'traced' } });
    const { id: projectId } = (await created.json()) as Project;
    const files = await Promise.all(
      Array.from({ length: IMAGES }, async (_, index) => ({ name: `${index}.png`, bytes: await picture(index) })),
    );
    const upload = await server.call(`/api/projects/${projectId}/images`, {
      method: 'POST',
      body: form(files),
      headers: { traceparent: `00-${TRACE}-${CALLER}-01` },
    });
    const { images } = (await upload.json()) as UploadReply;
    expect(images).toHaveLength(IMAGES);
    const silent = await server.call(`/api/projects/${projectId}/images`, {
      method: 'POST',
      body: form([{ name: 'silent.png', bytes: await picture(99) }]),
      headers: { traceparent: 'not a place in a trace' },
    });
    expect(silent.status).toBe(201);
    await openGallery(projectId);
    await path.relay();
    await path.worker(fakeBackend().backend);
    const batch = await path.start(projectId);
    await path.ended(batch.id);
    await until(() => collector.spans.filter(({ name }) => name === 'show in the browser').length === IMAGES);
    await until(() => collector.spans.filter(({ name }) => name === 'publish').length === IMAGES);

    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-tenant': 'a b' } });
    const byId = new Map(collector.spans.map((span) => [span.spanId, span]));
    expect(byId.size).toBe(collector.spans.length);
    const way = (span: ReceivedSpan): string[] => {
      const parent = byId.get(span.parentSpanId ?? '');
      return [...(parent ? way(parent) : [span.parentSpanId ?? '']), span.name];
    };
    const route = 'POST /api/projects/:id/images';
    for (const { id } of images) {
      const own = collector.spans.filter(({ attributes }) => attributes['segbench.image.id'] === id);
      const ways = own.map((span) => `${span.service.replace('segbench-', '')}: ${way(span).slice(2).join(' > ')}`);
      expect(own.every((span) => way(span)[0] === CALLER && way(span)[1] === route)).toBe(true);
      expect(ways.toSorted()).toEqual(
        [
          'api: receive image',
          'relay: segment image',
          'worker: segment image > wait',
          'relay: segment image > wait > wait for the relay',
          'worker: segment image > wait > wait in the queue',
          'worker: segment image > wait > wait for the pool',
          ...['decode', 'normalise', 'infer', 'polygons', 'encode', 'save'].map(
            (name) => `worker: segment image > ${name}`,
          ),
          'relay: segment image > publish',
          'api: segment image > show in the browser',
        ].toSorted(),
      );
      for (const span of own) expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).toBe(true);
    }
    const request = collector.spans.find(({ name }) => name === route)!;
    expect(request).toMatchObject({
      kind: 2,
      parentSpanId: CALLER,
      service: 'segbench-api',
      attributes: { 'http.request.method': 'POST', 'http.route': '/api/projects/:id/images' },
    });
    expect(Number(request.attributes['http.response.status_code'])).toBe(201);
    const [silentRow] = await server.sql`select count(*) as traced from images where traceparent is not null`;
    expect(silentRow).toEqual({ traced: IMAGES });
  });

  it('costs its callers nothing when the collector is gone: all is done, and the spans are counted', async () => {
    await collector.close();
    const { server } = path;
    const created = await server.call('/api/projects', { method: 'POST', json: { name: 'alone' } });
    const { id: projectId } = (await created.json()) as Project;
    const headers = { traceparent: `00-${'c'.repeat(32)}-${CALLER}-01` };
    const upload = await server.call(`/api/projects/${projectId}/images`, {
      method: 'POST',
      body: form([{ name: 'a.png', bytes: await picture(7) }]),
      headers,
    });
    expect(upload.status).toBe(201);
    const batch = await path.start(projectId);
    await path.ended(batch.id);
    expect((await path.get(batch.id)).counts).toMatchObject({ completed: 1 });
    const failed = async () =>
      /segbench_trace_spans_total\{outcome="failed"[^}]*\} ([1-9]\d*)/.test(
        await (await server.call('/metrics')).text(),
      );
    await until(failed);
  });
});
