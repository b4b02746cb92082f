import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodePolygons } from '../../../src/contract/polygons-format.ts';
import { createKservePool, type KservePoolOptions } from '../../../src/inference/kserve/pool.ts';
import type { InferenceBackend, InferenceOutput } from '../../../src/inference/pool/backend.ts';
import { createLocalPool } from '../../../src/inference/pool/local.ts';
import { createSession, type ModelSession } from '../../../src/inference/session.ts';
import { until } from '../../batches/fixture.ts';
import { request } from '../pool/scripted.ts';
import { discs } from '../shapes.ts';
import { startScripted, type Inference, type Scripted } from './scripted-server.ts';
import { installed, startServer, whereFrom } from './servers/start.ts';

const MODEL = join(import.meta.dirname, '../../../models/nuclei/1');
let folder: string;
let model: ModelSession;
let files: string[];
const servers: Scripted[] = [];
const pools: InferenceBackend[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-kserve-pool-'));
  model = await createSession(MODEL, 'cpu');
  files = await Promise.all(
    [1, 2, 3, 4].map(async (cells) => {
      const centres = Array.from({ length: cells }, (_, i): [number, number, number] => [22 + 25 * i, 60, 9 + i]);
      const file = join(folder, `${cells}.png`);
      await sharp(discs(128, 128, centres), { raw: { width: 128, height: 128, channels: 1 } })
        .png()
        .toFile(file);
      return file;
    }),
  );
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the real model, as a server would. */
const runModel = (inference: Inference): void => {
  const [count, , height, width] = inference.shape as [number, number, number, number];
  void model.run(inference.data, width, height, count).then((logits) => inference.answer({ logits }));
};
async function server(infer: Scripted['state']['infer'] = runModel): Promise<Scripted> {
  const started = await startScripted({ infer });
  servers.push(started);
  return started;
}
async function open(urls: string[], options: Partial<KservePoolOptions> = {}) {
  const about = { workers: 2, modelDir: MODEL, card: model.card, timeoutMs: 20_000, loadTimeoutMs: 20_000 };
  const pool = createKservePool(urls, { ...about, probeEveryMs: 200, ...options });
  pools.push(pool);
  await pool.load();
  return { pool, infer: inferrer(pool) };
}
const inferrer =
  (pool: InferenceBackend) =>
  (i: number, given: { signal?: AbortSignal } = {}) =>
    pool.infer(request(String(i), { file: files[i % 4]!, width: 128, height: 128, modelDir: MODEL }), {
      deadlineMs: 20_000,
      ...given,
    });
const shapesOf = ({ polygons }: InferenceOutput) => decodePolygons(polygons).map(({ points }) => points);
async function localShapes() {
  const pool = createLocalPool({ workers: 1, modelDir: MODEL, provider: 'cpu', timeoutMs: 20_000 });
  pools.push(pool);
  await pool.load();
  return Promise.all([0, 1, 2, 3].map(async (i) => shapesOf(await inferrer(pool)(i))));
}

describe('a pool of inference servers', () => {
  it('gives the cells that the local pool gives, in batches, from every server', async () => {
    const both = [await server(), await server()];
    const { pool, infer } = await open(
      both.map(({ url }) => url),
      { maxBatch: 4 },
    );
    const outputs = await Promise.all(Array.from({ length: 24 }, (_, i) => infer(i)));
    const expected = await localShapes();
    for (const [i, output] of outputs.entries()) expect(shapesOf(output)).toEqual(expected[i % 4]);
    expect(Math.max(...outputs.map(({ batchSize }) => batchSize))).toBe(4);
    expect(pool.endpoints().every(({ done, pending }) => done > 0 && pending === 0)).toBe(true);
    expect(outputs[0]!.worker).toMatch(/^kserve-\d\/\d+$/);
    expect(pool.stats().memory).toBeNull();
    expect(pool.health()).toMatchObject({ status: 'healthy', ready: 2 });
  });

  it('loses no image when one server is killed in the middle, and says that it is degraded', async () => {
    const [stays, goes] = [await server(), await server()];
    const { pool, infer } = await open([stays.url, goes.url]);
    let done = 0;
    const all = Array.from({ length: 60 }, (_, i) => infer(i).finally(() => done++));
    await until(() => done >= 20);
    await goes.close();
    expect((await Promise.allSettled(all)).filter(({ status }) => status === 'rejected')).toEqual([]);
    await until(() => pool.health().status === 'degraded');
    expect(pool.health().message).toBe('1 of 2 inference servers are ready');
    expect(pool.stats()).toMatchObject({ completed: 60, failed: 0, restarts: 0 });
  });

  it.each<[string, Scripted['state']['infer'], string, RegExp]>([
    [
      'a wrong shape',
      (inference) => inference.answer({ output: { shape: [1, 2, 8, 8] } }),
      'MODEL_ERROR',
      /shape|\[1, ?2, ?8, ?8\]/,
    ],
    [
      'no numbers',
      (inference) => inference.answer({ logits: new Float32Array(3 * inference.data.length).fill(NaN) }),
      'MODEL_ERROR',
      /output is not a number/,
    ],
    ['an error', (inference) => inference.answer({ status: 500 }), 'MODEL_ERROR', /answered 500/],
    ['nothing in time', () => {}, 'TIMEOUT', /deadline|timed out|no reply|in time/i],
    ['half a reply', ({ response }) => response.socket!.destroy(), 'CRASHED', /127\.0\.0\.1/],
  ])(
    'fails an image by its code when the server gives %s, and its children live on',
    async (_, wrong, code, message) => {
      let nth = 0;
      // The first is the probe's.
      const scripted = await server((inference) => (nth++ === 0 ? inference.answer() : wrong(inference, nth)));
      const { pool, infer } = await open([scripted.url], { workers: 1, timeoutMs: code === 'TIMEOUT' ? 600 : 20_000 });
      await expect(infer(0)).rejects.toMatchObject({
        code,
        crashed: false,
        message: expect.stringMatching(message) as string,
      });
      expect(pool.stats().restarts).toBe(0);
    },
  );

  it('fails an image of whose values one is null in the JSON of a server', async () => {
    const scripted = await server();
    Object.assign(scripted.state, { extensions: [], takesBinary: false });
    const { infer } = await open([scripted.url], { workers: 1 });
    expect((await infer(0)).polygonCount).toBe(1);
    scripted.state.infer = (inference) => {
      const logits = new Float32Array(3 * inference.data.length);
      logits[inference.data.length + 777] = NaN;
      inference.answer({ logits });
    };
    await expect(infer(0)).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      message: expect.stringContaining('output is not a number') as string,
    });
  });

  it('cuts the request to a server off when its image is given up, and goes on', async () => {
    const scripted = await server();
    const { pool, infer } = await open([scripted.url], { workers: 1 });
    const cutOff = new Promise((resolve) => {
      scripted.state.infer = ({ response }) => void response.on('close', resolve);
    });
    const control = new AbortController();
    const given = infer(0, { signal: control.signal });
    // The first is the probe's.
    await until(() => scripted.seen.inferences.length === 2);
    control.abort(new Error('cancelled by a person'));
    await expect(given).rejects.toThrow('cancelled by a person');
    await cutOff;
    scripted.state.infer = runModel;
    expect((await infer(1)).polygonCount).toBe(2);
    expect(pool.endpoints()).toMatchObject([{ failed: 0, pending: 0, lastError: null }]);
    expect(pool.stats()).toMatchObject({ restarts: 0, workers: [{ lastError: null }] });
  });

  it('tries other servers only while the image has time', async () => {
    const hanging = await Promise.all([server(), server(), server()]);
    const { infer } = await open(
      hanging.map(({ url }) => url),
      { workers: 1, timeoutMs: 1000 },
    );
    for (const { state } of hanging) state.infer = () => {};
    await expect(infer(0)).rejects.toMatchObject({ code: 'TIMEOUT', crashed: false });
    const tried = hanging.flatMap(({ seen }) => seen.inferences.slice(1));
    // One may take four fifths of it: there is time for a second, and for no third.
    expect(tried.length).toBeLessThan(3);
  });

  it('halves a batch that is too large for the memory of a server', async () => {
    const scripted = await server((inference) => {
      if (inference.shape[0]! <= 2) return runModel(inference);
      inference.response.writeHead(500).end(JSON.stringify({ error: 'CUDA out of memory' }));
    });
    const { infer } = await open([scripted.url], { workers: 1, maxBatch: 4 });
    const outputs = await Promise.all([0, 1, 2, 3, 4].map((i) => infer(i)));
    expect(outputs.map(({ batchSize }) => batchSize)).toEqual([1, 2, 2, 2, 2]);
  });

  it('does not start with a server of another model, or with none', async () => {
    const other = await server();
    other.state.metadata = { name: 'nuclei', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }], outputs: [] };
    await expect(open([other.url])).rejects.toThrow(/inference server is refused: .*image/s);
    await expect(open(['http://127.0.0.1:9'], { loadTimeoutMs: 300 })).rejects.toThrow(
      /no inference server is ready after 300 ms: .*127\.0\.0\.1:9/,
    );
  });
});

it.skipIf(!installed('kserve'))(
  `0 of 100 images are lost when one of two real servers is killed in the middle (${whereFrom('kserve')})`,
  async () => {
    const real = await Promise.all([startServer('kserve', MODEL), startServer('kserve', MODEL)]);
    try {
      const { infer } = await open(real.map(({ url }) => url));
      let done = 0;
      const all = Array.from({ length: 100 }, (_, i) => infer(i).finally(() => done++));
      await until(() => done >= 30);
      await real[0].kill();
      const outputs = await Promise.all(all);
      const expected = await localShapes();
      for (const [i, output] of outputs.entries()) expect(shapesOf(output)).toEqual(expected[i % 4]);
    } finally {
      await Promise.all(real.map((each) => each.stop()));
    }
  },
  240_000,
);
