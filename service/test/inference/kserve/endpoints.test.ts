import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ProbeResult } from '../../../src/inference/kserve/balancer.ts';
import { createEndpoints, type Endpoints, type EndpointsOptions } from '../../../src/inference/kserve/endpoints.ts';
import { CARD, startScripted, type Scripted } from './scripted-server.ts';

/** A limit for what hangs. */
const PATIENT = { timeout: 20_000 };
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((each) => each.close()));
});
async function scripted(start?: Parameters<typeof startScripted>[0]): Promise<Scripted> {
  const server = await startScripted(start);
  opened.push(server);
  return server;
}
function endpointsOf(urls: string[], options: Partial<EndpointsOptions> = {}): Endpoints {
  const endpoints = createEndpoints({
    urls,
    card: CARD,
    probeEveryMs: 20,
    probeTimeoutMs: 2000,
    loadTimeoutMs: 5000,
    ...options,
  });
  opened.push(endpoints);
  return endpoints;
}

describe('examination of an inference server', () => {
  it('asks for readiness and metadata, tries one empty image, and then asks for readiness alone', async () => {
    const server = await scripted();
    const endpoints = endpointsOf([server.url]);
    await endpoints.load();
    const model = '/v2/models/nuclei';
    const ready = ['/v2/health/ready', `${model}/ready`];
    expect(server.seen.paths.slice(0, 5)).toEqual([...ready, '/v2', model, `${model}/infer`]);
    expect(server.seen.inferences).toMatchObject([{ shape: [1, 1, 16, 16], binary: true, binaryOutput: true }]);
    await expect.poll(() => server.seen.paths.length, PATIENT).toBeGreaterThan(10);
    expect(new Set(server.seen.paths.slice(5))).toEqual(new Set(ready));
    expect(endpoints.lease([])).toMatchObject({ url: server.url, binary: true });
  });

  it('uses JSON where the server neither lists the extension nor understands it', async () => {
    const server = await scripted({ extensions: [], takesBinary: false });
    const endpoints = endpointsOf([server.url]);
    await endpoints.load();
    expect(endpoints.lease([])!.binary).toBe(false);
    expect(server.seen.inferences).toMatchObject([{ binary: false }]);
  });

  it('finds out that a server takes binary data which does not list it', async () => {
    const server = await scripted({ extensions: ['model_repository_extension'] });
    const endpoints = endpointsOf([server.url]);
    await endpoints.load();
    expect(endpoints.lease([])!.binary).toBe(true);
  });

  it('does not believe a server that answers in JSON to have read binary data, unless it lists it', async () => {
    const infer = (inference: Parameters<Scripted['state']['infer']>[0]) => {
      const logits = { name: 'logits', datatype: 'FP32', shape: [1, 3, 16, 16], data: Array(768).fill(0) };
      inference.response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ outputs: [logits] }));
    };
    const [silent, listing] = await Promise.all([scripted({ extensions: [], infer }), scripted({ infer })]);
    const endpoints = endpointsOf([silent.url, listing.url]);
    await endpoints.load();
    expect(endpoints.stats().map(({ binary }) => binary)).toEqual([false, true]);
  });

  it('asks for a version of the model, and carries credentials that no message shows', async () => {
    const server = await scripted();
    Object.assign(server.state.metadata as object, { versions: ['6', '7'] });
    const url = server.url.replace('//', '//user:s3cret@');
    const endpoints = endpointsOf([url], { version: '7' });
    await endpoints.load();
    await expect.poll(() => server.seen.paths, PATIENT).toContain('/v2/models/nuclei/versions/7/ready');
    const [first] = server.seen.inferences;
    expect(first!.path).toBe('/v2/models/nuclei/versions/7/infer');
    expect(first!.headers.authorization).toBe(`Basic ${Buffer.from('user:s3cret').toString('base64')}`);
    expect(endpoints.lease([])!.url).toBe(url);
    server.state.modelReady = 503;
    await expect
      .poll(() => endpoints.stats()[0]!.lastError, PATIENT)
      .toMatch(/\/v2\/models\/nuclei(\/versions\/7)?\/ready answered 503: model is loading$/);
    expect(JSON.stringify(endpoints.stats())).not.toContain('s3cret');
  });

  it.each<[string, Parameters<typeof startScripted>[0], string]>([
    [
      'other inputs',
      { metadata: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1, -1, -1] }] } },
      'model "nuclei" has the inputs "x" FP32 [-1, 1, -1, -1], expected "image" FP32 [-1, 1, -1, -1] alone',
    ],
    [
      'an output of another shape in the trial',
      { metadata: {}, infer: (inference) => inference.answer({ output: { shape: [1, 2, 16, 16] } }) },
      'output "logits" has the shape [1, 2, 16, 16], expected [1, 3, 16, 16]',
    ],
    [
      'a refusal of the trial',
      { infer: ({ response }) => void response.writeHead(400).end('{"error":"unexpected input"}') },
      '/v2/models/nuclei/infer answered 400: unexpected input',
    ],
  ])('refuses a server at load, also beside a good one: %s', async (_, start, message) => {
    const [good, bad] = await Promise.all([scripted(), scripted(start)]);
    const endpoints = endpointsOf([good.url, bad.url]);
    await expect(endpoints.load()).rejects.toThrow(new RegExp(`^inference server is refused: ${bad.url}`));
    await expect(endpointsOf([bad.url]).load()).rejects.toThrow(message);
    expect(endpoints.lease([])).toBeNull();
  });

  it('waits for a server that is still loading its model, and for one whose trial fails by its own fault', async () => {
    const server = await scripted({ modelReady: 503 });
    const endpoints = endpointsOf([server.url]);
    let loaded = false;
    const loading = endpoints.load().then(() => (loaded = true));
    await expect.poll(() => server.seen.paths.length, PATIENT).toBeGreaterThan(5);
    expect(server.seen.inferences).toEqual([]);
    server.state.infer = ({ response }) => void response.writeHead(500).end('{"error":"out of luck"}');
    server.state.modelReady = 200;
    await expect.poll(() => server.seen.inferences.length, PATIENT).toBeGreaterThan(1);
    expect([loaded, endpoints.ready()]).toEqual([false, 0]);
    server.state.infer = (inference) => inference.answer();
    await loading;
    expect(endpoints.ready()).toBe(1);
  });

  it('gives up loading after its time, with the reason of each server', async () => {
    const [loading, gone] = await Promise.all([scripted({ modelReady: 503 }), scripted()]);
    await gone.close();
    const endpoints = endpointsOf([loading.url, gone.url], { loadTimeoutMs: 300 });
    await expect(endpoints.load()).rejects.toThrow(
      `no inference server is ready after 300 ms: ${loading.url}/v2/models/nuclei/ready answered 503: model is loading; ${gone.url}: connect ECONNREFUSED`,
    );
  });

  it('loads with one of two servers, and takes in the other when it comes', async () => {
    const [here, later] = await Promise.all([scripted(), scripted()]);
    await later.close();
    const log = vi.fn<(level: string, message: string) => void>();
    const endpoints = endpointsOf([here.url, later.url], { log });
    await endpoints.load();
    expect(endpoints.ready()).toBe(1);
    await later.reopen();
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(2);
    later.state.ready = 503;
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(1);
    expect(log.mock.calls.filter(([, message]) => message.includes(later.url))).toEqual([
      ['warn', expect.stringMatching(/^inference server is not ready: .*ECONNREFUSED/)],
      ['info', `inference server ${later.url} is ready`],
      ['warn', `inference server is not ready: ${later.url}/v2/health/ready answered 503: nothing`],
    ]);
  });

  it('examines a server anew that comes back, and does not use it with another model', async () => {
    const server = await scripted({ extensions: [], takesBinary: false });
    const endpoints = endpointsOf([server.url]);
    await endpoints.load();
    server.state.ready = 503;
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(0);
    Object.assign(server.state, { ready: 200, takesBinary: true, extensions: ['binary_tensor_data'] });
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(1);
    expect(endpoints.stats()[0]!.binary).toBe(true);
    server.state.ready = 503;
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(0);
    Object.assign(server.state, {
      ready: 200,
      metadata: { outputs: [{ name: 'mask', datatype: 'FP32', shape: [-1] }] },
    });
    await expect.poll(() => endpoints.stats()[0]!.lastError, PATIENT).toContain('has the outputs "mask" FP32 [-1]');
    expect(endpoints.ready()).toBe(0);
  });

  it('takes a server that does not answer its probes out after three of them', async () => {
    const server = await scripted();
    const endpoints = endpointsOf([server.url], { probeTimeoutMs: 100 });
    await endpoints.load();
    server.state.silent = true;
    const before = server.seen.paths.length;
    await expect.poll(() => endpoints.ready(), PATIENT).toBe(0);
    expect(endpoints.stats()[0]!.lastError).toBe(`${server.url}: no reply within 100 ms`);
    expect(server.seen.paths.length - before).toBeGreaterThanOrEqual(3);
  });

  it('stops asking when it is closed', async () => {
    const server = await scripted();
    const endpoints = endpointsOf([server.url]);
    await endpoints.load();
    endpoints.close();
    const paths = server.seen.paths.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.seen.paths.length - paths).toBeLessThanOrEqual(1);
    expect(endpoints.lease([])).toBeNull();
  });
});

describe('times of the probes', () => {
  it('are apart by the pause from the end of one to the next, each server for itself', async () => {
    vi.useFakeTimers();
    const at: Record<string, number[]> = { 'http://fast': [], 'http://slow': [] };
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const probe = async (url: string): Promise<ProbeResult> => {
      at[url]!.push(Date.now());
      await sleep(url === 'http://slow' ? 700 : 10);
      return { kind: 'ready', binary: true, versioned: false };
    };
    const start = Date.now();
    const endpoints = endpointsOf(Object.keys(at), { probeFor: () => probe, sleep, probeEveryMs: 1000, now: Date.now });
    const loaded = endpoints.load();
    await vi.advanceTimersByTimeAsync(700);
    await loaded;
    await vi.advanceTimersByTimeAsync(3400);
    endpoints.close();
    expect(at['http://fast']!.map((ms) => ms - start)).toEqual([0, 1010, 2020, 3030, 4040]);
    expect(at['http://slow']!.map((ms) => ms - start)).toEqual([0, 1700, 3400]);
  });
});
