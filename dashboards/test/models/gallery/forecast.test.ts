import { signal } from '@preact/signals';
import { describe, expect, it } from 'vitest';
import type { ForecastReply } from '#contract/forecasts.ts';
import type { Api } from '../../../src/models/api.ts';
import { createForecast } from '../../../src/models/gallery/Forecast.ts';
import { WORDS } from '../../../src/words/forecast.ts';
import { createFakeClock } from '../../fake-clock.ts';

const forecast = {
  images: 1000,
  workers: 2,
  imagesAhead: 0,
  seconds: 95,
  low: 85,
  high: 105,
  resultBytes: 21_000_000,
  basis: { images: 12, ownProject: true, batches: 4, outside: false },
};
const reply = (over: Partial<ForecastReply> = {}): ForecastReply => ({
  images: 1000,
  reused: 0,
  forecast,
  reason: null,
  ...over,
});

function setUp(counts = { all: 1000, ended: 0, picked: 0 }) {
  const time = createFakeClock();
  const asked: unknown[] = [];
  const answers: ((value: ForecastReply) => void)[] = [];
  const api = {
    call: (_route: string, given: { body: unknown }) => {
      asked.push(given.body);
      return new Promise<ForecastReply>((resolve) => answers.push(resolve));
    },
  } as unknown as Api;
  const state = { busy: signal(false), threshold: signal(0.5), counts: signal(counts) };
  const model = createForecast({ api, projectId: 'p', clock: time.clock, pickedIds: () => ['a', 'b'], ...state });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { pass: () => time.advance(500), asked, answers, model, settled, ...state };
}

describe('createForecast', () => {
  it('asks once things are quiet, and shows the answer', async () => {
    const { pass, asked, answers, model, counts, settled } = setUp({ all: 1, ended: 0, picked: 0 });
    for (let all = 2; all <= 1000; all++) counts.value = { all, ended: 0, picked: 0 };
    expect(asked).toEqual([]);
    await pass();
    expect(asked).toEqual([{ all: true, threshold: 0.5 }]);
    answers[0]!(reply());
    await settled();
    expect(model.reply.value).toEqual(reply());
  });

  it('asks for what is chosen, and forgets the answer for what was chosen before', async () => {
    const { pass, asked, answers, model, counts, settled } = setUp();
    await pass();
    counts.value = { all: 1000, ended: 0, picked: 2 };
    answers[0]!(reply());
    await settled();
    expect(model.reply.value).toBeNull();
    await pass();
    expect(asked[1]).toEqual({ imageIds: ['a', 'b'], threshold: 0.5 });
  });

  it('asks nothing while a batch runs, and nothing when all is done at the usual threshold', async () => {
    const { pass, asked, busy, threshold, counts, model } = setUp({ all: 1000, ended: 1000, picked: 0 });
    await pass();
    expect(asked).toEqual([]);
    threshold.value = 0.7;
    await pass();
    expect(asked).toHaveLength(1);
    model.started(0.7);
    busy.value = true;
    counts.value = { all: 1000, ended: 3, picked: 0 };
    await pass();
    counts.value = { all: 1000, ended: 1000, picked: 0 };
    busy.value = false;
    await pass();
    expect(asked).toHaveLength(1);
  });

  it('says nothing of more images than one batch may name, and stops with the page', async () => {
    const { pass, asked, counts, model } = setUp({ all: 20_000, ended: 0, picked: 10_001 });
    await pass();
    counts.value = { all: 20_000, ended: 0, picked: 5 };
    model.stop();
    await pass();
    expect(asked).toEqual([]);
  });
});

describe('words of a forecast', () => {
  it('say how many, on what, how long and how much', () => {
    expect(WORDS.forecast(reply())).toBe(
      '1,000 images on 2 workers: about 1 min 35 s (1 min 25 s to 1 min 45 s), results 21 MB.',
    );
    const behind = reply({ reused: 40, forecast: { ...forecast, imagesAhead: 300, workers: 1 } });
    expect(WORDS.forecast(behind)).toContain('on 1 worker, after 300 of others: about');
    expect(WORDS.forecast(behind)).toContain('40 more are known already');
    const outside = { ...forecast, basis: { ...forecast.basis, outside: true } };
    expect(WORDS.forecast(reply({ forecast: outside }))).toContain('Sizes like these were not measured yet');
  });
  it('say why there is none', () => {
    const none = (reason: ForecastReply['reason']) => WORDS.forecast(reply({ forecast: null, reason }));
    expect(none('NOTHING_MEASURED')).toContain('once a dozen images were tried');
    expect(none('NO_WORKER')).toContain('no worker has reported itself');
    expect(none('NOTHING_TO_SEGMENT')).toContain('done at once');
  });
  it('say what it stands on', () => {
    expect(WORDS.basis(forecast)).toBe(
      'From 12 measured images of this project, corrected by 4 earlier batches like this one.',
    );
    expect(WORDS.basis({ ...forecast, basis: { ...forecast.basis, batches: 0 } })).toContain('wide until');
  });
  it('tell how well they held', () => {
    const { score } = WORDS.capacity;
    expect(score({ batches: 8, bias: 0.04, error: 0.031, coverage: 0.875 })).toBe(
      '8 batches: on the whole they took 4 % longer than was said; half were off by more than 3 %; 88 % of the ranges held what happened (95 % is meant).',
    );
    expect(score({ batches: 1, bias: -0.1, error: 0.1, coverage: 1 })).toContain('10 % shorter');
  });
});
