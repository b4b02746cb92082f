import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createApi } from '../../src/models/api.ts';
import { createOperator } from '../../src/models/Operator.ts';
import { createFakeClock } from '../fake-clock.ts';
import { nowBatch, nowReply, operatorReply } from '../mock-operator.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** What is still held, typed arrays included. */
function heldBytes(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const MINUTE_MS = 60_000;
const START = Date.parse('2026-01-01T00:00:00Z');
/** A busy service: a new batch every ten seconds, of which each ends after a minute with failures, so that all that is told changes. */
function readingAt(second: number) {
  const newest = Math.floor(second / 10);
  const batches = Array.from({ length: 8 }, (_, back) => newest - back)
    .filter((number) => number >= 0)
    .map((number) => {
      const done = Math.min(1000, (second - number * 10) * 17);
      const counts = {
        queued: 1000 - done,
        processing: 0,
        completed: done - (done >> 7),
        failed: done >> 7,
        cancelled: 0,
      };
      return nowBatch(number, {
        counts,
        status: done === 1000 ? 'completed' : 'running',
        projectName: `plate ${number}`,
      });
    });
  return nowReply({ timestamp: new Date(START + second * 1000).toISOString(), batches, eventLagMs: second % 97 });
}

/** @returns how much more the page held `minutes` after its first ten */
async function growth(minutes: number, keep: (reply: unknown) => void): Promise<number> {
  const { clock, advance } = createFakeClock();
  const api = createApi({
    onSignedOut: () => {},
    async fetch(url, init) {
      const route = `${init?.method} ${url.split('?')[0]}`;
      if (route === 'GET /api/projects') return Response.json({ items: [], total: 0 });
      if (route.endsWith('/failures')) {
        const group = {
          code: 'TIMEOUT',
          count: 3,
          retryable: true,
          sampleImageIds: [],
          sampleMessage: url,
          first: '',
          last: '',
        };
        return Response.json({ batchId: '', total: 3, groups: [group] });
      }
      const reply = route === 'GET /api/now' ? readingAt(Math.floor(clock.now() / 1000)) : operatorReply(route);
      keep(reply);
      return Response.json(reply ?? nowBatch(1));
    },
  });
  const operator = createOperator({ api, clock, hidden: () => false });
  operator.start();
  await advance(10 * MINUTE_MS);
  const before = heldBytes();
  await advance(minutes * MINUTE_MS);
  const after = heldBytes();
  expect(operator.series.newest()).toBe(START / 1000 + (10 + minutes) * 60);
  operator.stop();
  return after - before;
}

describe('an hour of the operator’s page', () => {
  it('holds no more at its end than in its beginning', async () => {
    expect(await growth(60, () => {})).toBeLessThan(1e6);
  });

  it('would be found out if it kept its readings', async () => {
    const kept: unknown[] = [];
    expect(await growth(10, (reply) => kept.push(structuredClone(reply)))).toBeGreaterThan(1e6);
    expect(kept.length).toBeGreaterThan(1200);
  });
});
