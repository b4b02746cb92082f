import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEndpoints, type Endpoints } from '../../../src/inference/kserve/endpoints.ts';
import { exchange } from '../../../src/inference/kserve/exchange.ts';
import { createLeases } from '../../../src/inference/kserve/leases.ts';
import { encodeRequest, errorOf, parseJson } from '../../../src/inference/kserve/protocol.ts';
import { createKserveSession } from '../../../src/inference/kserve/session.ts';
import { type ModelCard } from '../../../src/inference/model.ts';
import { createSession, type ModelSession } from '../../../src/inference/session.ts';
import { installed, KINDS, startServer, whereFrom, type Server } from './servers/start.ts';

/** Starting a server takes seconds, and on a busy machine many. */
const SLOW_MS = 240_000;
/** A limit for what hangs. */
const PATIENT = { timeout: 20_000 };
const MODEL = join(import.meta.dirname, '../../../models/nuclei/1');
const [WIDTH, HEIGHT] = [96, 64];
const PIXELS = WIDTH * HEIGHT;
/** Whether each takes tensors as binary data. */
const BINARY = { kserve: true, mlserver: false, triton: true };

let local: ModelSession;
let card: ModelCard;
const opened: Endpoints[] = [];

beforeAll(async () => {
  local = await createSession(MODEL, 'cpu');
  card = local.card;
});
afterEach(closeAll);

/** No more probes: a server that is asked again and again while it stops takes its time. */
function closeAll(): void {
  for (const endpoints of opened.splice(0)) endpoints.close();
}

/** Something like cells, another for each seed. */
const picture = (seed: number) =>
  Float32Array.from({ length: PIXELS }, (_, i) => {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    return 0.75 * (1 + Math.sin((x + 3 * seed) / 7) * Math.cos((y - seed) / 5));
  });
function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
/** Largest difference of two tensors of one length. */
const apart = (a: Float32Array, b: Float32Array) => {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
};

async function connect(urls: string[], of: ModelCard = card): Promise<{ session: ModelSession; endpoints: Endpoints }> {
  const endpoints = createEndpoints({ urls, card: of, loadTimeoutMs: 10_000, probeEveryMs: 200 });
  opened.push(endpoints);
  await endpoints.load();
  const leases = createLeases(endpoints);
  const session = createKserveSession({
    card: of,
    timeoutMs: 20_000,
    lease: (excluding) => Promise.resolve(leases.lease('test', excluding)),
    end: (...ended) => leases.end(...ended),
  });
  return { session, endpoints };
}

for (const kind of KINDS)
  describe.skipIf(!installed(kind))(`an inference server of others (${whereFrom(kind)})`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await startServer(kind, MODEL);
    });
    afterAll(() => server?.stop());

    it('gives the logits of the local session, in the coding that the server takes', async () => {
      const { session, endpoints } = await connect([server.url]);
      const logits = await session.run(picture(1), WIDTH, HEIGHT);
      expect(apart(logits, await local.run(picture(1), WIDTH, HEIGHT))).toBeLessThan(1e-4);
      expect(apart(logits, await local.run(picture(2), WIDTH, HEIGHT))).toBeGreaterThan(0.1);
      expect(endpoints.stats()).toMatchObject([{ ready: true, binary: BINARY[kind], done: 1, failed: 0 }]);
    });

    it('gives in a batch of 4 what 4 single images give', async () => {
      const { session } = await connect([server.url]);
      const pictures = [1, 2, 3, 4].map(picture);
      const singles: Float32Array[] = [];
      for (const each of pictures) singles.push(await session.run(each, WIDTH, HEIGHT));
      const batch = await session.run(joined(pictures), WIDTH, HEIGHT, 4);
      expect(apart(batch, joined(singles))).toBeLessThan(1e-4);
    });

    it('refuses at load a model whose input has another name, and says which', async () => {
      const other = { ...card, input: { ...card.input, name: 'pixels' } };
      await expect(connect([server.url], other)).rejects.toThrow(
        `${server.url}: model "nuclei" has the inputs "image" FP32 [-1, 1, -1, -1], expected "pixels" FP32 [-1, 1, -1, -1] alone`,
      );
    });

    it('fails a request with a wrong input name by the words of the server, once', async () => {
      const other = { ...card, input: { ...card.input, name: 'pixels' } };
      const ends: unknown[] = [];
      const session = createKserveSession({
        card: other,
        timeoutMs: 20_000,
        lease: () => Promise.resolve({ id: 7, url: server.url, binary: BINARY[kind], versioned: false }),
        end: (...end) => void ends.push(end),
      });
      const request = encodeRequest(other, picture(1), { count: 1, width: WIDTH, height: HEIGHT }, BINARY[kind]);
      const post = { ...request, method: 'POST' as const, timeoutMs: 20_000, limitBytes: 1e6 };
      const reply = await exchange(server.url, '/v2/models/nuclei/infer', post);
      const words = errorOf(parseJson(reply.body))!;
      expect(words).toContain('pixels');
      await expect(session.run(picture(1), WIDTH, HEIGHT)).rejects.toMatchObject({
        code: 'MODEL_ERROR',
        message: `${server.url} answered ${reply.status}: ${words}`,
      });
      expect(ends).toMatchObject([[7, 'refused', { error: expect.stringContaining(words) as string }]]);
    });

    it('waits for a model that is not there yet, and then says what the server answered', async () => {
      const endpoints = createEndpoints({ urls: [server.url], card: { ...card, name: 'others' }, loadTimeoutMs: 1000 });
      opened.push(endpoints);
      await expect(endpoints.load()).rejects.toThrow(
        /not? .*ready after 1000 ms: .*\/v2\/models\/others\/ready answered 4\d\d/,
      );
    });

    it(
      'loses none of 200 requests when one of two such servers is killed among them',
      async () => {
        const doomed = await startServer(kind, MODEL);
        try {
          const { session, endpoints } = await connect([doomed.url, server.url]);
          const expected = await Promise.all([0, 1, 2, 3].map((seed) => local.run(picture(seed), WIDTH, HEIGHT)));
          let next = 0;
          let done = 0;
          let killed = Promise.resolve();
          let doneByDoomed = 0;
          const wrong: number[] = [];
          const client = async () => {
            while (next < 200) {
              const seed = next++ % 4;
              const logits = await session.run(picture(seed), WIDTH, HEIGHT);
              if (apart(logits, expected[seed]!) > 1e-4) wrong.push(seed);
              if (++done !== 60) continue;
              doneByDoomed = endpoints.stats()[0]!.done;
              killed = doomed.kill();
            }
          };
          await Promise.all([client(), client(), client(), client()]);
          await killed;
          const [dead, alive] = endpoints.stats();
          expect({ done, wrong }).toEqual({ done: 200, wrong: [] });
          expect(doneByDoomed).toBeGreaterThan(10);
          expect(dead!.failed).toBeGreaterThan(0);
          expect(dead!.done + alive!.done).toBe(200);
          await expect.poll(() => endpoints.stats().map(({ ready }) => ready), PATIENT).toEqual([false, true]);
          expect(endpoints.stats().map(({ pending }) => pending)).toEqual([0, 0]);
        } finally {
          closeAll();
          await doomed.stop();
        }
      },
      SLOW_MS,
    );
  });

describe.skipIf(!KINDS.every(installed))(`inference servers of several kinds (${whereFrom(...KINDS)})`, () => {
  it(
    'spreads requests over all, each in its own coding',
    async () => {
      const servers: Server[] = [];
      try {
        for (const kind of KINDS) servers.push(await startServer(kind, MODEL));
        const { session, endpoints } = await connect(servers.map(({ url }) => url));
        const expected = await local.run(picture(5), WIDTH, HEIGHT);
        const results = await Promise.all(Array.from({ length: 30 }, () => session.run(picture(5), WIDTH, HEIGHT)));
        expect(results.filter((logits) => apart(logits, expected) > 1e-4)).toEqual([]);
        expect(endpoints.stats().map(({ binary, failed }) => ({ binary, failed }))).toEqual(
          KINDS.map((kind) => ({ binary: BINARY[kind], failed: 0 })),
        );
        // All 30 are leased before the first is done: the fewest pending is a third for each.
        expect(endpoints.stats().map(({ done }) => done)).toEqual([10, 10, 10]);
      } finally {
        closeAll();
        await Promise.all(servers.map((server) => server.stop()));
      }
    },
    SLOW_MS,
  );
});
