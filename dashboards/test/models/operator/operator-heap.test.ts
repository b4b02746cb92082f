import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/models/api.ts';
import { createOperator } from '../../../src/models/operator/Operator.ts';
import { busyReading, DAY_BEGINS } from '../../../../loadtest/src/stand-in/busy-day.ts';
import { createFakeClock } from '../../fake-clock.ts';
import { nowBatch, operatorReply } from '../../../../loadtest/src/stand-in/replies.ts';

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
          retryId: null,
          first: '',
          last: '',
        };
        return Response.json({ batchId: '', total: 3, groups: [group] });
      }
      const reply = route === 'GET /api/now' ? busyReading(Math.floor(clock.now() / 1000)) : operatorReply(route);
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
  expect(operator.series.newest()).toBe(DAY_BEGINS + (10 + minutes) * 60);
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
