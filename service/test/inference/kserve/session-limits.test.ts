import { afterEach, describe, expect, it } from 'vitest';
import { logitsOf } from './scripted-server.ts';
import { closeScripted, failing, HEIGHT, input, scripted, sessionOf, WIDTH } from './scripted-session.ts';

/** A limit for what hangs. */
const PATIENT = { timeout: 20_000 };
afterEach(closeScripted);

describe('the deadline', () => {
  it('ends a request as TIMEOUT that hangs, and no other attempt begins after it', async () => {
    const [first, second] = await Promise.all([scripted(() => {}), scripted()]);
    const { run, stats } = sessionOf([first.url, second.url]);
    await expect(run({ limitMs: 150 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/^deadline passed after \d+ ms: .*no reply within \d+ ms$/) as string,
    });
    expect(second.seen.inferences.length).toBe(0);
    expect(stats()[0]).toMatchObject({ failed: 1, pending: 0 });
  });

  it('that has passed sends nothing', async () => {
    const server = await scripted();
    await expect(sessionOf([server.url]).run({ limitMs: -1 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/^deadline passed after \d+ ms: no inference server was free$/) as string,
    });
    expect(server.seen.inferences.length).toBe(0);
  });

  it('is how long a busy server is waited for, as it asks', async () => {
    const times: number[] = [];
    const server = await scripted((inference, nth) => {
      times.push(performance.now());
      if (nth === 1) failing(429, 'busy', { 'retry-after': '1' })(inference);
      else if (nth <= 5) failing(503, 'busy', { 'retry-after': '0' })(inference);
      else inference.answer();
    });
    const { run, stats } = sessionOf([server.url], { patienceMs: 10 });
    expect(await run({ limitMs: 30_000 })).toEqual(logitsOf(input(), 1));
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
    expect(stats()[0]).toMatchObject({ refused: 5, failed: 0, done: 1, breaker: 'closed' });
    server.state.infer = failing(429, 'busy', { 'retry-after': '3600' });
    await expect(run({ limitMs: 2000 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('answered 429: busy') as string,
    });
    expect(times.length).toBe(6);
  });
});

describe('servers that are all gone', () => {
  it('are waited for, and used when one comes back', async () => {
    const server = await scripted();
    await server.close();
    const { run } = sessionOf([server.url]);
    const result = run({ limitMs: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await server.reopen();
    expect(await result).toEqual(logitsOf(input(), 1));
  });

  it('are CRASHED after the patience, whether the balancer knows or not', async () => {
    const server = await scripted();
    await server.close();
    await expect(sessionOf([server.url], { patienceMs: 200 }).run({ limitMs: 60_000 })).rejects.toMatchObject({
      code: 'CRASHED',
      retryable: true,
      message: expect.stringMatching(/^no inference server for \d+ ms: .*ECONNREFUSED/) as string,
    });
    await expect(sessionOf([], { patienceMs: 100 }).run({ limitMs: 60_000 })).rejects.toMatchObject({
      code: 'CRASHED',
      message: expect.stringMatching(/^no inference server for \d+ ms$/) as string,
    });
  });

  it('are TIMEOUT where the deadline is earlier', async () => {
    await expect(sessionOf([]).run({ limitMs: 100 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});

describe('aborting', () => {
  it('rejects with the reason, ends the connection, and says nothing against the server', async () => {
    let closed = () => {};
    const gone = new Promise<void>((resolve) => (closed = resolve));
    const server = await scripted(({ response }) => void response.on('close', closed));
    const { run, stats } = sessionOf([server.url]);
    const reason = new Error('batch cancelled');
    const controller = new AbortController();
    const result = run({ signal: controller.signal });
    await expect.poll(() => server.seen.inferences.length, PATIENT).toBe(1);
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
    await gone;
    expect(stats()[0]).toMatchObject({ pending: 0, failed: 0, refused: 0, done: 0 });
    await expect(run({ signal: controller.signal })).rejects.toBe(reason);
  });

  it('also while it waits for a server', async () => {
    const reason = new Error('batch cancelled');
    const controller = new AbortController();
    const result = sessionOf([]).run({ signal: controller.signal, limitMs: 60_000 });
    setTimeout(() => controller.abort(reason), 20);
    await expect(result).rejects.toBe(reason);
  });
});

describe('input that JSON cannot say', () => {
  it('is MODEL_ERROR, and not the server’s fault', async () => {
    const server = await scripted();
    const { session, stats } = sessionOf([server.url], { binary: false });
    await expect(session.run(input().fill(NaN), WIDTH, HEIGHT)).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      message: 'input "image" holds NaN at 0, expected a number',
    });
    expect(stats()[0]).toMatchObject({ pending: 0, failed: 0 });
  });
});
