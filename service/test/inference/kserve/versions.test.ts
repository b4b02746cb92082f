import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NotYet } from '../../../src/inference/failure.ts';
import { createEndpoints, type EndpointsOptions } from '../../../src/inference/kserve/endpoints.ts';
import { createKservePool } from '../../../src/inference/kserve/pool.ts';
import { readCard } from '../../../src/inference/model.ts';
import { request } from '../pool/scripted.ts';
import { CARD, startScripted } from './scripted-server.ts';

const MODEL = path.join(import.meta.dirname, '../../../models/nuclei/1');
/** A limit for what hangs. */
const PATIENT = { timeout: 20_000 };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that lists these versions of the model. */
async function serving(...versions: string[]) {
  const server = await startScripted();
  closers.push(() => server.close());
  const serve = (...now: string[]) => Object.assign(server.state.metadata as object, { versions: now });
  serve(...versions);
  return { ...server, serve, inferredAt: () => server.seen.inferences.map((each) => each.path) };
}
function endpointsOf(urls: string[], options: Partial<EndpointsOptions> = {}) {
  const endpoints = createEndpoints({ urls, card: CARD, probeEveryMs: 20, loadTimeoutMs: 5000, ...options });
  closers.push(() => endpoints.close());
  return endpoints;
}

describe('endpoints', () => {
  it('refuse at load a server that lists other versions, and name both', async () => {
    const server = await serving('3', '4');
    await expect(endpointsOf([server.url], { version: '1' }).load()).rejects.toThrow(
      `inference server is refused: ${server.url}: model "nuclei" has the versions 3, 4, expected 1, the latest of MODELS_DIR`,
    );
    expect(server.inferredAt()).toEqual([]);
  });

  it('do not name the version to a server that lists none, and say what that means', async () => {
    const server = await serving();
    const log = vi.fn<(level: string, message: string) => void>();
    const endpoints = endpointsOf([server.url], { version: '1', log });
    await endpoints.load();
    expect(endpoints.lease([])).toMatchObject({ versioned: false });
    expect(server.inferredAt()).toEqual(['/v2/models/nuclei/infer']);
    expect(log.mock.calls).toContainEqual([
      'warn',
      `inference server ${server.url} lists no versions: results will say 1`,
    ]);
  });

  it('stay with their version while no server has the next, and leave out who lags behind', async () => {
    const [first, last] = [await serving('1'), await serving('1')];
    const endpoints = endpointsOf([first.url, last.url], { version: '1' });
    await endpoints.load();
    const failure = await endpoints.expect(CARD, '2').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotYet);
    expect((failure as Error).message).toContain('has the versions 1, expected 2');
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(2);

    first.serve('1', '2');
    await endpoints.expect(CARD, '2');
    expect(first.inferredAt().at(-1)).toBe('/v2/models/nuclei/versions/2/infer');
    expect([endpoints.ready(), endpoints.lease([])!.url]).toEqual([1, first.url]);
    last.serve('2');
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(2);
  });
});

it('an image goes to the version that its batch asks for, before and after a newer one is taken', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'segbench-versions-'));
  closers.push(() => rm(folder, { recursive: true }));
  const [old, next] = ['1', '2'].map((version) => path.join(folder, version)) as [string, string];
  await Promise.all([old, next].map((dir) => cp(MODEL, dir, { recursive: true })));
  const file = path.join(folder, 'gray.png');
  const raw = { width: 32, height: 32, channels: 1 } as const;
  await sharp(Buffer.alloc(32 * 32), { raw })
    .png()
    .toFile(file);

  const server = await serving('1');
  const options = { workers: 1, modelDir: old, card: await readCard(old), timeoutMs: 20_000, probeEveryMs: 50 };
  const pool = createKservePool([server.url], options);
  closers.push(() => pool.close());
  await pool.load();
  const infer = (modelDir: string) =>
    pool.infer(request('a', { file, width: 32, height: 32, modelDir }), { deadlineMs: 20_000 });
  await infer(old);
  await expect(pool.reload(next)).rejects.toBeInstanceOf(NotYet);
  expect(pool.stats().restarts).toBe(0);

  server.serve('1', '2');
  const before = server.inferredAt().length;
  await pool.reload(next);
  await infer(next);
  await infer(old);
  // the first is the trial
  expect(server.inferredAt().slice(before)).toEqual(
    ['2', '2', '1'].map((v) => `/v2/models/nuclei/versions/${v}/infer`),
  );
});
