import { afterEach, describe, expect, it } from 'vitest';
import { logitsOf, type Scripted } from './scripted-server.ts';
import { closeScripted, failing, HEIGHT, input, scripted, sessionOf, WIDTH } from './scripted-session.ts';

afterEach(closeScripted);

describe('session of an inference server', () => {
  it.each([true, false])('gives the planes of each image of a batch, binary: %s', async (binary) => {
    const server = await scripted();
    const { session, stats, held } = sessionOf([server.url], { binary });
    const single = await session.run(input(), WIDTH, HEIGHT);
    expect(single).toEqual(logitsOf(input(), 1));
    expect(await session.run(input(3), WIDTH, HEIGHT, 3)).toEqual(logitsOf(input(3), 3));
    expect(server.seen.inferences).toMatchObject([
      { shape: [1, 1, HEIGHT, WIDTH], binary },
      { shape: [3, 1, HEIGHT, WIDTH], binary },
    ]);
    expect(stats()[0]).toMatchObject({ done: 2, failed: 0, pending: 0 });
    expect(held()).toBe(0);
  });

  it('refuses an input that is not as long as its sides say', async () => {
    await expect(sessionOf([]).session.run(input(), WIDTH, HEIGHT, 2)).rejects.toThrow(
      'input has 512 values, expected 2 × 16 × 32',
    );
  });

  it('uses its connections again, and says that it wants no compression', async () => {
    const server = await scripted();
    const { run } = sessionOf([server.url]);
    for (let i = 0; i < 20; i++) await run();
    // A request that comes at once after another may find its connection not free yet.
    expect(server.seen.sockets).toBeLessThanOrEqual(2);
    expect(server.seen.inferences[19]!.headers).toMatchObject({
      'accept-encoding': 'identity',
      'content-type': 'application/octet-stream',
    });
  });

  it('carries the credentials of the URL to a version, and shows them in no error', async () => {
    const server = await scripted(failing(403, 'no'));
    const { run, stats } = sessionOf([server.url.replace('//', '//u:s3cret@')], { version: '2' });
    await expect(run()).rejects.toThrow(new RegExp(`^${server.url} answered 403: no$`));
    const [first] = server.seen.inferences;
    expect(first!.headers.authorization).toBe(`Basic ${Buffer.from('u:s3cret').toString('base64')}`);
    expect(first!.path).toBe('/v2/models/nuclei/versions/2/infer');
    expect(stats()[0]!.lastError).not.toContain('s3cret');
  });

  it('leaves NaN in the planes to who looks at them', async () => {
    const server = await scripted((inference) => {
      inference.data.fill(NaN);
      inference.answer();
    });
    const planes = await sessionOf([server.url]).run();
    expect(planes.every(Number.isNaN)).toBe(true);
  });
});

describe('a request that fails', () => {
  it.each<[string, Scripted['state']['infer']]>([
    ['dies before its reply', ({ response }) => void response.destroy()],
    [
      'dies within its reply',
      ({ response }) => {
        response.writeHead(200, { 'content-length': 10_000, 'inference-header-content-length': 50 });
        response.write('{"outputs":[', () => response.destroy());
      },
    ],
    ['answers 500', failing(500, 'CUDA error')],
    ['answers 502 with a page', ({ response }) => void response.writeHead(502).end('<html>bad gateway</html>')],
    ['answers 503', failing(503, 'overloaded')],
    ['answers 429', failing(429, 'slow down')],
    ['answers 503 with a pause', failing(503, 'wait', { 'retry-after': '3600' })],
    ['hangs', () => {}],
    ['hangs within its reply', ({ response }) => void response.writeHead(200, { 'content-length': 9 }).write('{')],
  ])('is sent to the other server when the first %s', async (_, infer) => {
    const [bad, good] = await Promise.all([scripted(infer), scripted()]);
    const { run, stats, held } = sessionOf([bad.url, good.url], { timeoutMs: 1000 });
    expect(await run()).toEqual(logitsOf(input(), 1));
    expect([bad.seen.inferences.length, good.seen.inferences.length]).toEqual([1, 1]);
    expect(stats().map(({ pending, done }) => ({ pending, done }))).toEqual([
      { pending: 0, done: 0 },
      { pending: 0, done: 1 },
    ]);
    expect(stats()[0]!.lastError).toContain(bad.url);
    expect(held()).toBe(0);
  });

  it('is sent to the other server also when that has more to do', async () => {
    const [bad, good] = await Promise.all([scripted(failing(500, 'CUDA error')), scripted()]);
    const { run, occupy } = sessionOf([bad.url, good.url]);
    for (let i = 0; i < 3; i++) occupy(bad.url);
    expect(await run()).toEqual(logitsOf(input(), 1));
    expect([bad.seen.inferences.length, good.seen.inferences.length]).toEqual([1, 1]);
  });

  it('is sent to the other server when nobody listens at the first', async () => {
    const [gone, good] = await Promise.all([scripted(), scripted()]);
    await gone.close();
    const { run, stats } = sessionOf([gone.url, good.url]);
    expect(await run()).toEqual(logitsOf(input(), 1));
    expect(stats()[0]!.lastError).toMatch(/ECONNREFUSED/);
  });

  it('is sent to the same server again after a pause when there is no other', async () => {
    const server = await scripted((inference, nth) => (nth < 3 ? inference.response.destroy() : inference.answer()));
    expect(await sessionOf([server.url]).run()).toEqual(logitsOf(input(), 1));
    expect(server.seen.inferences.length).toBe(3);
  });

  it.each<[string, number, string, string]>([
    ['MODEL_ERROR', 400, 'unexpected shape', 'refused'],
    ['MODEL_ERROR', 404, 'no such model', 'refused'],
    ['MODEL_ERROR', 307, 'elsewhere', 'refused'],
    ['OUT_OF_MEMORY', 500, 'CUDA out of memory', 'refused'],
  ])('is %s without another attempt when the answer is %i: %s', async (code, status, error, outcome) => {
    const [bad, other] = await Promise.all([
      scripted(failing(status, error, { location: 'http://127.0.0.1:1/' })),
      scripted(),
    ]);
    const { run, stats } = sessionOf([bad.url, other.url]);
    await expect(run()).rejects.toMatchObject({
      name: 'InferenceFailure',
      code,
      message: `${bad.url} answered ${status}: ${error}`,
    });
    expect([bad.seen.inferences.length, other.seen.inferences.length]).toEqual([1, 0]);
    expect(stats()[0]).toMatchObject({ [outcome]: 1, done: 0 });
  });

  it.each<[string, Scripted['state']['infer'], string]>([
    [
      'shape',
      (inference) => inference.answer({ output: { shape: [1, 3, WIDTH, HEIGHT] } }),
      'output "logits" has the shape [1, 3, 32, 16], expected [1, 3, 16, 32]',
    ],
    [
      'name',
      (inference) => inference.answer({ output: { name: 'mask' } }),
      'reply has the outputs "mask", expected "logits"',
    ],
    [
      'length',
      (inference) => inference.answer({ headers: { 'inference-header-content-length': '99999' } }),
      'Inference-Header-Content-Length is "99999"',
    ],
    ['page', ({ response }) => void response.writeHead(200).end('<html>'), 'reply is not JSON'],
    [
      'no end',
      ({ response }) => {
        response.writeHead(200);
        const more = () => response.write(Buffer.alloc(2 ** 20), (error) => void (error ?? more()));
        more();
      },
      'reply is longer than 1146880 bytes',
    ],
    [
      'a length beyond all',
      ({ response }) => void response.writeHead(200, { 'content-length': 1e12 }).write('{'),
      'reply is longer than 1146880 bytes',
    ],
  ])('is MODEL_ERROR, and the server’s fault, when the reply is wrong: %s', async (_, infer, message) => {
    const server = await scripted(infer);
    const { run, stats } = sessionOf([server.url]);
    await expect(run()).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      message: expect.stringContaining(`${server.url}: ${message}`) as string,
    });
    expect(stats()[0]).toMatchObject({ failed: 1, pending: 0 });
    expect(server.seen.inferences.length).toBe(1);
  });

  it.each<[string, Scripted['state']['infer'], string]>([
    ['CRASHED', ({ response }) => void response.destroy(), 'other side closed'],
    ['MODEL_ERROR', failing(500, 'CUDA error'), 'answered 500: CUDA error'],
    ['TIMEOUT', () => {}, 'no reply within 300 ms'],
  ])('is %s when all attempts failed so', async (code, infer, message) => {
    const server = await scripted(infer);
    const { run } = sessionOf([server.url], { timeoutMs: 300 });
    await expect(run({ limitMs: 60_000 })).rejects.toMatchObject({
      code,
      retryable: true,
      message: expect.stringContaining(message) as string,
    });
    expect(server.seen.inferences.length).toBe(3);
  });
});
