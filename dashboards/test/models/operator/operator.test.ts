import { describe, expect, it } from 'vitest';
import type { NowReply } from '#contract/now.ts';
import { createApi } from '../../../src/models/api.ts';
import { createOperator } from '../../../src/models/operator/Operator.ts';
import { createFakeClock } from '../../fake-clock.ts';
import { nowBatch, nowReply, operatorReply } from '../../../../loadtest/src/stand-in/replies.ts';

/** An operator's page without a page: `now` is answered by the test, and the rest by a service in good health. */
function setUp(answer: (second: number) => NowReply | Promise<never>) {
  const { clock, advance, pending } = createFakeClock();
  const asked: string[] = [];
  const start = Date.parse('2026-01-01T00:00:00Z');
  const api = createApi({
    onSignedOut: () => {},
    fetch: async (url, init) => {
      const route = `${init?.method} ${url.split('?')[0]}`;
      asked.push(route);
      const second = Math.floor(clock.now() / 1000);
      const at = new Date(start + second * 1000).toISOString();
      if (route === 'GET /api/now') return Response.json({ ...(await answer(second)), timestamp: at });
      if (route === 'GET /api/projects') return Response.json({ items: [], total: 0 });
      if (route.endsWith('/failures')) return Response.json({ batchId: '', total: 3, groups: [] });
      return Response.json(operatorReply(route) ?? nowBatch(1));
    },
  });
  const operator = createOperator({ api, clock, hidden: () => false });
  return { operator, advance, asked, pending, clock };
}

describe('createOperator', () => {
  it('keeps a reading a second, with few requests', async () => {
    const { operator, advance, asked, pending } = setUp((second) => nowReply({ eventLagMs: second }));
    operator.start();
    await advance(60_500);
    const { values } = operator.series.window(['eventLagMs'], 60);
    expect(values.eventLagMs).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(asked.length).toBeLessThan(160);
    operator.stop();
    expect(pending()).toBe(0);
  });

  it('goes on when the line was lost: the age grows, the numbers stay, and it is told', async () => {
    let lost = false;
    const { operator, advance, clock } = setUp((second) =>
      lost ? Promise.reject(new TypeError('failed to fetch')) : nowReply({ eventLagMs: second }),
    );
    operator.start();
    await advance(10_500);
    operator.tellVerdict();
    lost = true;
    await advance(8000);
    operator.tellVerdict();
    expect(operator.now.state.value).toMatchObject({ at: 10_000, error: 'The service does not answer.' });
    lost = false;
    await advance(1500);
    expect(clock.now() - operator.now.state.value.at!).toBeLessThan(1500);
    expect(operator.series.at('eventLagMs', operator.second.value)).toBeGreaterThan(18);
    expect(operator.series.at('eventLagMs', operator.second.value - 6)).toBeNull();
    operator.stop();
  });

  it('tells the end of a batch once, and failures as an alert', async () => {
    const counts = { queued: 0, processing: 0, completed: 997, failed: 3, cancelled: 0 };
    const { operator, advance } = setUp((second) =>
      nowReply({ batches: [second < 3 ? nowBatch(1) : nowBatch(1, { status: 'completed', counts })] }),
    );
    const said: string[] = [];
    operator.polite.message.subscribe((text) => void (text && said.push(text)));
    operator.start();
    await advance(20_500);
    expect(said).toEqual(['Batch in plate 7 has ended: 997 done, 3 failed.']);
    expect(operator.alert.message.value).toBe('3 more images failed.');
    operator.stop();
  });

  it('tells each failure of one image, though the words are the same', async () => {
    const counts = (failed: number) => ({ queued: 990, processing: 0, completed: 10 - failed, failed, cancelled: 0 });
    const { operator, advance } = setUp((second) =>
      nowReply({ batches: [nowBatch(1, { counts: counts(Math.floor(second / 10)) })] }),
    );
    const said: string[] = [];
    operator.alert.message.subscribe((text) => void (text && said.push(text)));
    operator.start();
    await advance(25_500);
    expect(said).toEqual(['1 more image failed.', '1 more image failed.']);
    operator.stop();
  });

  it('asks for what a person chose, and reads at once what became of it', async () => {
    const { operator, advance, asked } = setUp(() => nowReply());
    operator.start();
    await advance(100);
    asked.length = 0;
    await operator.control(nowBatch(1).id, 'pause');
    await advance(0);
    expect(asked).toEqual([`POST /api/batches/${nowBatch(1).id}/pause`, 'GET /api/now']);
    expect(operator.busy.value.size).toBe(0);
    operator.stop();
  });

  it('takes the medians of the last minute as the baseline', async () => {
    const { operator, advance } = setUp((second) => nowReply({ eventLagMs: second }));
    operator.start();
    await advance(120_500);
    operator.takeBaseline();
    expect(operator.baseline.state.value?.values).toMatchObject({ eventLagMs: 90.5, waiting: 412, runMs: 48 });
    operator.stop();
  });
});
