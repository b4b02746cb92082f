import { describe, expect, it } from 'vitest';
import { listScenarios } from '../../../scenarios/index.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { bulkMeasurements } from '../../src/prove/bulk-measures.ts';
import { capacityOf, inWork } from '../../src/prove/capacity.ts';
import { judgeProof } from '../../src/prove/judge.ts';
import { ledgerOf } from '../../src/prove/ledger.ts';
import type { ProofRecord } from '../../src/prove/records.ts';
import { plotsOf, tablesOf } from '../../src/prove/tables.ts';
import { stageTimes } from '../../src/prove/times.ts';
import { recordsOf } from './records.ts';

describe('capacityOf', () => {
  it('gives the rate of an even stream, with an interval of no width', () => {
    const capacity = capacityOf(Array.from({ length: 1000 }, (_, at) => 50 * at));
    expect(capacity?.perSecond).toBeCloseTo(20);
    expect(capacity?.low).toBeCloseTo(20);
    expect(capacity?.high).toBeCloseTo(20);
  });

  it('leaves out how a batch fills and drains', () => {
    const ends = Array.from({ length: 1000 }, (_, at) => 50 * at + (at < 80 ? -60_000 : at > 920 ? 60_000 : 0));
    expect(capacityOf(ends)?.perSecond).toBeCloseTo(20);
  });

  it('holds the true rate of a random stream in its interval, and more widely the more it varies', () => {
    // Ends by a linear congruential generator, so that the test is always the same; exponential times, mean 50 ms.
    const streams = Array.from({ length: 200 }, (_, seed) => {
      let state = seed * 7919 + 1;
      let now = 0;
      return Array.from({ length: 500 }, () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
        return (now += -50 * Math.log(1 - state / 2 ** 31));
      });
    });
    const inside = streams.filter((ends) => {
      const { low, high } = capacityOf(ends)!;
      return low <= 20 && 20 <= (high ?? Infinity);
    });
    // 95 % of 200, within what the binomial of a right interval allows at 1 in 1,000.
    expect(inside.length).toBeGreaterThan(179);
    expect(inside.length).toBeLessThan(200);
  });

  it('says nothing of few images, or when all came at once', () => {
    expect(capacityOf([1, 2, 3])).toBeNull();
    expect(capacityOf(Array.from({ length: 100 }, () => 5))).toBeNull();
  });

  it('knows Little’s law', () => expect(inWork(20, 100)).toBe(2));
});

describe('stageTimes', () => {
  it('splits an image’s time into upload, wait and work where the target tells that work began', () => {
    const stages = stageTimes(ledgerOf(recordsOf(10)));
    expect(stages.map(({ name, meanMs }) => [name, meanMs])).toEqual([
      ['upload', 5],
      ['wait', 145],
      ['work', 20],
    ]);
    expect(stages.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  it('keeps wait and work together where it does not', () => {
    const silent = (records: ProofRecord[]) =>
      records.filter((record) => record.type !== 'event' || record.status !== 'processing');
    expect(stageTimes(ledgerOf(recordsOf(10, silent))).map(({ name }) => name)).toEqual(['upload', 'wait and work']);
  });

  it('shows the stages that the target tells, and the way of the event by its clock, apart from its own', () => {
    const told = (records: ProofRecord[]) =>
      records.map((record) =>
        record.type === 'ask'
          ? { ...record, stages: { infer: 12, save: 3 } }
          : record.type === 'event'
            ? { ...record, at: record.atMs - 7 }
            : record,
      );
    const stages = stageTimes(ledgerOf(recordsOf(10, told))).filter(({ seenBy }) => seenBy === 'target');
    expect(stages.map(({ name, meanMs }) => [name, meanMs])).toEqual([
      ['infer', 12],
      ['save', 3],
      ['delivery of the event', 7],
    ]);
  });
});

describe('bulkMeasurements', () => {
  const bulk = listScenarios().filter(({ kind }) => kind === 'bulk');

  it.each(bulk.map((scenario) => [scenario.name, scenario] as const))(
    'leaves no budget of %s unmeasured: what cannot be seen from outside does not apply',
    (name, { budgets, notApplicable }) => {
      const ledger = ledgerOf(recordsOf(60, undefined, { scenario: name, fault: 'none' }));
      const measurements = bulkMeasurements(ledger, judgeProof(ledger));
      const verdicts = judgeBudgets(measurements, budgets, { imageCount: 60, notApplicable });
      expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['pass', 'n/a']));
      expect(verdicts.find(({ name: budget }) => budget === 'delivery_missing')?.verdict).toBe('pass');
    },
  );

  it('counts what the proof counts', () => {
    const lost = recordsOf(60, (records) => records.filter((record) => record.type !== 'event'));
    const ledger = ledgerOf(lost);
    expect(bulkMeasurements(ledger, judgeProof(ledger))).toMatchObject({
      delivery_missing: { actual: 60 },
      delivery_duplicates: { actual: 0 },
      throughput_images_per_minute: { actual: null, note: 'no image ended' },
    });
  });
});

describe('tablesOf', () => {
  const of = (records: readonly ProofRecord[]) => {
    const ledger = ledgerOf(records);
    return tablesOf(ledger, judgeProof(ledger));
  };

  it('has the ledger, the connections, the times and the workers, and no table of troubles where there are none', () => {
    expect(of(recordsOf(60)).map(({ title }) => title)).toEqual([
      'The ledger of theirs',
      'Which connection brought what',
      'Where the time went',
      'How many workers a load needs',
    ]);
  });

  it('calls the number of workers an estimate, by workers where they are known, else by what ran', () => {
    // 100 images a second, by 2 workers: 1,000 in a minute need a third of one.
    const table = of(recordsOf(60)).at(-1);
    expect(table?.note).toMatch(/^An estimate\. Measured: 100\.0 images a second/);
    expect(table?.note).toContain(
      'Little’s law: at 20.0 ms from the beginning of work to its end as told, 2.00 images were in work at a time, with 2 workers.',
    );
    expect(table?.rows[1]).toEqual(['1,000 images in a minute', 1000 / 60, 1, 1, 1]);
    const unknown = of(recordsOf(60, undefined, { target: { name: 'theirs', address: 'there', adapter: 'a' } })).at(-1);
    expect(unknown?.columns[2]?.name).toBe('times what ran');
    expect(unknown?.rows[1]?.[2]).toBeCloseTo(1 / 6);
  });

  it('names at most 20 images in trouble', () => {
    const lost = (records: ProofRecord[]) => records.filter((record) => record.type !== 'event');
    const table = of(recordsOf(60, lost))[1];
    expect(table?.title).toBe('Images in trouble');
    expect(table?.rows).toHaveLength(20);
    expect(table?.rows[0]).toEqual(['cells-0.png', 'id-0', 'lost', 'it is completed, and the client was never told']);
    expect(table?.note).toContain('of 60');
  });

  it('draws what was accepted and what was told over time', () => {
    const [plot] = plotsOf(ledgerOf(recordsOf(1000)));
    expect(plot?.series.map(({ name, points }) => [name, points.at(-1)?.[1]])).toEqual([
      ['accepted', 1000],
      ['end told', 1000],
    ]);
  });
});
