import { Agent, request as httpRequest } from 'node:http';
import { createLatencies } from '../drivers/histogram.ts';
import { createRandom } from '../images/random.ts';
import type { GeneratorReport, GeneratorTask, MixRequest } from './generator-protocol.ts';
import { arrivals } from './pacing.ts';

const TICK_MS = 1;
const TIMEOUT_MS = 20_000;
const PACES = 0x10ad;

/** `ok`, `refused`, or a status or error. */
type Outcome = string;

/** Whether an answer is what it must be. */
function fits(expect: NonNullable<MixRequest['expect']>, status: number, bytes: number, chunks: Buffer[]): boolean {
  const { includes, excludes } = expect;
  const text = includes !== undefined || excludes !== undefined ? Buffer.concat(chunks).toString() : '';
  return (
    status === expect.status &&
    (expect.bytes === undefined || bytes === expect.bytes) &&
    (includes ?? []).every((part) => text.includes(part)) &&
    (excludes === undefined || !text.includes(excludes))
  );
}

/** A process of its own: what it does beside must not make its own requests late. */
async function run(task: GeneratorTask): Promise<GeneratorReport> {
  const { url, key, mix, durationMs, seed, load, bucketMs, settleMs } = task;
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 4096, scheduling: 'lifo' });
  const latencies = createLatencies();
  const buckets = new Map<number, { ok: number; refused: number; failed: number }>();
  const byName = createLatencies();
  const wrong: Record<string, number> = {};
  const failed: Record<string, number> = {};
  const counts = { sent: 0, ok: 0, refused: 0 };
  const open = new Set<Promise<void>>();
  const began = performance.now();
  let lastAt = 0;
  const onWay = { now: 0, area: 0, sinceMs: 0 };
  const count = (more: 1 | -1, atMs: number): void => {
    onWay.area += onWay.now * (atMs - onWay.sinceMs);
    onWay.now += more;
    onWay.sinceMs = atMs;
  };

  function send({ name, method, path, body, headers: more, expect }: MixRequest): Promise<Outcome> {
    return new Promise((resolve) => {
      const headers = {
        authorization: `Bearer ${key}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...more,
      };
      const call = httpRequest({ agent, hostname, port, method, path, headers }, (reply) => {
        reply.on('error', () => resolve('cut off'));
        const chunks: Buffer[] = [];
        let bytes = 0;
        const isRead = expect?.includes !== undefined || expect?.excludes !== undefined;
        reply.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (isRead) chunks.push(chunk);
        });
        reply.on('end', () => {
          const { statusCode = 0 } = reply;
          if (expect && statusCode >= 200 && statusCode < 300 && !fits(expect, statusCode, bytes, chunks))
            wrong[name] = (wrong[name] ?? 0) + 1;
          const isRefusal = (statusCode === 429 || statusCode === 503) && reply.headers['retry-after'] !== undefined;
          resolve(statusCode >= 200 && statusCode < 300 ? 'ok' : isRefusal ? 'refused' : String(statusCode));
        });
      });
      call.setTimeout(TIMEOUT_MS, () => call.destroy(new Error('no answer')));
      call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      call.end(body);
    });
  }
  async function one(intendedMs: number): Promise<void> {
    const startedMs = performance.now() - began;
    latencies.record('lag', startedMs - intendedMs);
    count(1, startedMs);
    const request = mix[counts.sent++ % mix.length]!;
    const outcome = await send(request);
    lastAt = performance.now() - began;
    count(-1, lastAt);
    latencies.record('took', lastAt - startedMs);
    const at = Math.floor(intendedMs / bucketMs) * bucketMs;
    const bucket = buckets.get(at) ?? { ok: 0, refused: 0, failed: 0 };
    buckets.set(at, bucket);
    if (outcome === 'ok') {
      counts.ok++;
      bucket.ok++;
      latencies.record('ok', lastAt - intendedMs);
      if (intendedMs >= settleMs) {
        latencies.record('settled', lastAt - intendedMs);
        byName.record(request.name, lastAt - intendedMs);
      }
      latencies.record(`ok ${at}`, lastAt - intendedMs);
    } else if (outcome === 'refused') {
      counts.refused++;
      bucket.refused++;
      latencies.record('refused', lastAt - intendedMs);
    } else {
      failed[outcome] = (failed[outcome] ?? 0) + 1;
      bucket.failed++;
    }
  }
  async function openLoop(perSecond: number): Promise<number> {
    const starts = arrivals(perSecond, durationMs, createRandom(seed, PACES));
    let next = 0;
    while (next < starts.length) {
      const elapsed = performance.now() - began;
      while (next < starts.length && starts[next]! <= elapsed) {
        const answered = one(starts[next++]!);
        open.add(answered);
        void answered.finally(() => open.delete(answered));
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    return starts.length;
  }
  async function closedLoop(concurrency: number): Promise<number> {
    const lane = async () => {
      for (let now = performance.now() - began; now < durationMs; now = performance.now() - began) await one(now);
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return counts.sent;
  }
  const intended = load.kind === 'open' ? await openLoop(load.perSecond) : await closedLoop(load.concurrency);
  await Promise.all(open);
  agent.destroy();
  const of = (q: number) => latencies.quantile('ok', q);
  const encoded = (['ok', 'settled', 'lag'] as const).flatMap((name) => {
    const hdr = latencies.encoded(name);
    return hdr === undefined ? [] : [[name, hdr] as const];
  });
  return {
    intended,
    ...counts,
    failed,
    wrong,
    byName: byName.summary(),
    tookMs: lastAt,
    p50Ms: of(0.5),
    p95Ms: of(0.95),
    p99Ms: of(0.99),
    maxMs: of(1),
    settledP99Ms: latencies.quantile('settled', 0.99),
    refusedP99Ms: latencies.quantile('refused', 0.99),
    lagP99Ms: latencies.quantile('lag', 0.99),
    hdr: Object.fromEntries(encoded),
    inFlight: { counted: onWay.area / Math.max(1, lastAt), byLittle: latencies.sum('took') / Math.max(1, lastAt) },
    buckets: [...buckets]
      .sort(([a], [b]) => a - b)
      .map(([atMs, rest]) => ({
        atMs,
        ...rest,
        p50Ms: latencies.quantile(`ok ${atMs}`, 0.5),
        p99Ms: latencies.quantile(`ok ${atMs}`, 0.99),
      })),
  };
}

process.once('message', (task) => {
  void run(task as GeneratorTask).then((report) => process.send?.(report, () => process.disconnect()));
});
