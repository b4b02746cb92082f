import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBalancer, type Lease } from '../../../src/inference/kserve/balancer.ts';
import { OUTCOMES } from '../../../src/inference/kserve/breaker.ts';
import { createLeases } from '../../../src/inference/kserve/leases.ts';

const URLS = ['http://a', 'http://u:secret@b/x', 'http://c'];
const READY = { kind: 'ready', binary: true, versioned: false } as const;
const breaker = { failures: 2, pauseMs: 100, maxPauseMs: 1000 };

function driven(ready: readonly string[] = URLS) {
  const clock = { ms: 0 };
  const balancer = createBalancer(URLS, { breaker, now: () => clock.ms });
  for (const url of ready) balancer.probed(url, READY);
  return { balancer, clock };
}
const urlOf = (lease: Lease | null) => lease?.url ?? null;

describe('balancer', () => {
  it('gives nothing before a probe found something ready', () => {
    const { balancer } = driven([]);
    expect(balancer.lease([])).toBeNull();
    expect(balancer.probed('http://c', { ...READY, binary: false })).toBe(true);
    expect(balancer.lease([])).toMatchObject({ url: 'http://c', binary: false });
    expect(balancer.ready()).toBe(1);
  });

  it('gives the endpoint with the fewest requests under way, equals in turn', () => {
    const { balancer } = driven();
    const first = [1, 2, 3].map(() => balancer.lease([])!);
    expect(first.map(urlOf)).toEqual(URLS);
    first[1]!.end('ok');
    expect(urlOf(balancer.lease([]))).toBe(URLS[1]);
    first[0]!.end('ok');
    first[2]!.end('ok');
    // One is under way at b; a had its turn before c, and when each has one, b had it first.
    expect([1, 2, 3].map(() => urlOf(balancer.lease([])))).toEqual([URLS[0], URLS[2], URLS[1]]);
  });

  it('never gives an excluded, unready, open or pausing endpoint, and among the others always the least busy', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('lease' as const), excluding: fc.subarray(URLS) }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('end' as const),
          which: fc.nat(100),
          outcome: fc.constantFrom(...OUTCOMES),
          retryAfterMs: fc.constantFrom(undefined, undefined, 50),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 120 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('probe' as const), url: fc.constantFrom(...URLS), up: fc.boolean() }),
      },
    );
    let given = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const { balancer, clock } = driven();
        const running: Lease[] = [];
        const wrong: unknown[] = [];
        const coolUntil = new Map<string, number>();
        for (const each of steps) {
          if (each.kind === 'wait') clock.ms += each.ms;
          else if (each.kind === 'probe')
            balancer.probed(each.url, each.up ? READY : { kind: 'not-ready', reason: 'r', certain: true });
          else if (each.kind === 'end') {
            const [lease] = running.splice(each.which % Math.max(1, running.length), 1);
            if (!lease) continue;
            const { outcome, retryAfterMs } = each;
            lease.end(outcome, retryAfterMs === undefined ? {} : { retryAfterMs });
            if (retryAfterMs !== undefined) coolUntil.set(lease.url, clock.ms + retryAfterMs);
          } else {
            const able = balancer.stats().flatMap(({ ready, breaker: state, pending }, i) => {
              const url = URLS[i]!;
              const cool = clock.ms < (coolUntil.get(url) ?? 0);
              return ready && state !== 'open' && !cool && !each.excluding.includes(url)
                ? [{ url, state, pending }]
                : [];
            });
            const lease = balancer.lease(each.excluding);
            // A half-open one may have its trial under way.
            const sure = able.filter(({ state }) => state === 'closed');
            const mine = able.find(({ url }) => url === lease?.url);
            const least = Math.min(...sure.map(({ pending }) => pending));
            const right = lease === null ? sure.length === 0 : mine !== undefined && mine.pending <= least;
            if (!right) wrong.push({ given: lease?.url, able });
            if (lease === null) continue;
            given++;
            running.push(lease);
          }
          const pending = balancer.stats().reduce((sum, endpoint) => sum + endpoint.pending, 0);
          expect({ pending, wrong }).toEqual({ pending: running.length, wrong: [] });
        }
      }),
      { numRuns: 300 },
    );
    expect(given).toBeGreaterThan(2000);
  });

  it('sends nothing to a server that asked for a pause, until it is over', () => {
    const { balancer, clock } = driven(['http://a']);
    balancer.lease([])!.end('refused', { retryAfterMs: 500, error: 'busy' });
    clock.ms = 499;
    expect(balancer.lease([])).toBeNull();
    clock.ms = 500;
    expect(urlOf(balancer.lease([]))).toBe('http://a');
    expect(balancer.stats()[0]).toMatchObject({ breaker: 'closed', refused: 1, failed: 0, lastError: 'busy' });
  });

  it('believes no server that asks for a pause of a day', () => {
    const { balancer, clock } = driven(['http://a']);
    balancer.lease([])!.end('refused', { retryAfterMs: 86_400_000 });
    clock.ms = 60_000;
    expect(balancer.lease([])).not.toBeNull();
  });

  it('takes one out that says it is not ready at once, one that is late after three probes, and back by one', () => {
    const { balancer } = driven(['http://a', 'http://c']);
    const late = { kind: 'not-ready', reason: 'no reply within 10 ms', certain: false } as const;
    expect(balancer.probed('http://a', { ...late, certain: true })).toBe(false);
    expect([1, 2, 3].map(() => balancer.probed('http://c', late))).toEqual([true, true, false]);
    expect(balancer.probed('http://c', READY)).toBe(true);
    expect([1, 2].map(() => balancer.probed('http://c', late))).toEqual([true, true]);
    balancer.lease([])!.end('ok');
    expect([1, 2].map(() => balancer.probed('http://c', late))).toEqual([true, true]);
    expect(balancer.probed('http://c', { kind: 'unfit', reason: 'another model' })).toBe(false);
  });

  it('forgets the failures of one that comes back', () => {
    const { balancer } = driven(['http://a']);
    for (let i = 0; i < 2; i++) balancer.lease([])!.end('failed', { error: 'reset' });
    expect(balancer.stats()[0]).toMatchObject({ breaker: 'open', failed: 2 });
    balancer.probed('http://a', READY);
    expect(balancer.stats()[0]!.breaker).toBe('open');
    balancer.probed('http://a', { kind: 'not-ready', reason: 'refused', certain: true });
    balancer.probed('http://a', READY);
    expect(balancer.stats()[0]).toMatchObject({ breaker: 'closed', ready: true });
  });

  it('tells of each endpoint what it did, without credentials', () => {
    const { balancer, clock } = driven([URLS[1]!]);
    for (const ms of [100, 200]) {
      const lease = balancer.lease([])!;
      clock.ms += ms;
      lease.end('ok');
      lease.end('failed', { error: 'a second end counts for nothing' });
    }
    balancer.lease([]);
    const [, b] = balancer.stats();
    expect(b).toEqual({
      url: 'http://b/x',
      ready: true,
      binary: true,
      breaker: 'closed',
      pending: 1,
      done: 2,
      failed: 0,
      refused: 0,
      lastError: null,
      latencyMs: 120,
    });
    expect(JSON.stringify(balancer.stats())).not.toContain('secret');
  });
});

describe('leases of other processes', () => {
  it('are plain data, end once, and come back when their process is gone', () => {
    const { balancer } = driven(['http://a']);
    const leases = createLeases(balancer);
    const mine = leases.lease('child 1', [])!;
    expect(structuredClone(mine)).toEqual({ id: 1, url: 'http://a', binary: true, versioned: false });
    const others = [leases.lease('child 2', []), leases.lease('child 2', [])];
    expect(balancer.stats()[0]!.pending).toBe(3);
    leases.drop('child 2');
    expect(balancer.stats()[0]).toMatchObject({ pending: 1, failed: 0 });
    leases.end(others[0]!.id, 'failed');
    leases.end(mine.id, 'ok');
    leases.end(mine.id, 'failed');
    expect(balancer.stats()[0]).toMatchObject({ pending: 0, done: 1, failed: 0 });
    expect(leases.size()).toBe(0);
    expect(leases.lease('child 1', ['http://a'])).toBeNull();
  });
});
