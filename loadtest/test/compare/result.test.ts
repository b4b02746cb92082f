import { describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import { compareResult, fingerprintOf } from '../../src/compare/result.ts';
import type { Triple } from '../../src/compare/contract.ts';
import type { CompareRunOptions } from '../../src/compare/run.ts';
import { stageMoves } from '../../src/compare/stages.ts';
import { compareTerminal } from '../../src/compare/terminal.ts';
import { exitCodeOf } from '../../src/judge/verdict.ts';
import { adviceOf } from '../../src/report/advice.ts';
import { htmlReport } from '../../src/report/html.ts';
import { junitReport } from '../../src/report/junit.ts';
import { markdownSummary } from '../../src/report/markdown.ts';
import { prometheusReport } from '../../src/report/prometheus.ts';
import { figures, triples } from './triples.ts';

const options: CompareRunOptions = {
  scenario: BULK_1000,
  base: { name: 'base', ref: 'v1.2', commit: 'a'.repeat(40) },
  head: { name: 'head', ref: 'working tree', commit: `${'b'.repeat(40)}+changes` },
  pairs: 10,
  images: 100,
  seed: 7,
  workers: 2,
  pool: 'local',
  minutes: 14,
};
const result = (measured: readonly Triple[], changes: Partial<Parameters<typeof compareResult>[0]> = {}) =>
  compareResult({
    options,
    triples: measured,
    set: undefined,
    startedAt: new Date('2026-01-02T03:04:05Z'),
    stopped: undefined,
    psiCpuSome: 0.4,
    isForeign: false,
    ...changes,
  });

describe('compareResult', () => {
  it('is a result file with its own section, and reads in every report', async () => {
    const slow = await result(triples(10, { growth: { cpuMsPerImage: 1.12 } }));
    expect(slow).toMatchObject({ schemaVersion: 1, verdict: 'regression', budgets: [], seed: 7 });
    expect(exitCodeOf(slow.verdict)).toBe(4);
    expect(slow.compare).toMatchObject({ pairs: 10, plannedPairs: 10, looks: [10], simulated: false });
    expect(slow.compare?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(slow.environment.notes).toContain('seed 7');
    for (const text of [compareTerminal(slow), htmlReport(slow), markdownSummary(slow)]) {
      expect(text).toContain('CPU per image');
      expect(text).toContain('v1.2');
      expect(text).toMatch(/Head is worse than base after 10 pairs/);
    }
    expect(junitReport(slow)).toContain('failures="1"');
    expect(prometheusReport(slow)).toContain('verdict="regression"} 1');
    expect(htmlReport(slow)).not.toContain('No image was submitted');
  });

  it('ends with what to do: what grew, where it sits, and how to tell what it could not', async () => {
    const head = { stageMs: { infer: 30, decode: 3 }, cpuMsByRole: { api: 2, inference: 32, relay: 1, worker: 1 } };
    const slow = await result(triples(10, { growth: { cpuMsPerImage: 1.12 }, head }));
    const { targets, bottlenecks, steps } = adviceOf(slow);
    expect(targets).toContainEqual(
      expect.objectContaining({ name: 'CPU per image', target: expect.stringMatching(/^growth < \d/) }),
    );
    expect(steps[0]!.what).toMatch(
      /^CPU per image grew by 1\d(\.\d)? %: look at stage infer \(\+6 ms\), CPU of inference/,
    );
    expect(bottlenecks[0]).toMatchObject({ stage: 'infer', time: 30 / 33, cpu: null });
    expect(bottlenecks.map(({ stage }) => stage)).toContain('process inference');
    for (const text of [compareTerminal(slow), htmlReport(slow), markdownSummary(slow)])
      expect(text).toMatch(/What to do[^]*CPU per image grew by/);

    const few = await result(triples(3));
    expect(adviceOf(few).quick).toMatchObject([{ setting: '--minutes', what: 'raise it: 3 of 10 pairs had time' }]);
    const all = await result(triples(3), { options: { ...options, pairs: 3 } });
    expect(adviceOf(all).quick).toMatchObject([{ setting: '--blocks 6' }]);
    const same = await result(triples(10));
    expect(compareTerminal(same)).toContain('Nothing: head is not worse than base.');
  });

  it('of two targets says nothing of where they run', async () => {
    const [base, head] = [
      { name: 'base', ref: './a.ts', commit: '2.1' },
      { name: 'head', ref: './b.ts', commit: '' },
    ] as const;
    const untold = { cpuMsPerImage: null, apiP50Ms: null, apiP95Ms: null, queriesPerImage: null, stageMs: {} };
    const measured = triples(10).map(({ a, again, b, order }) => ({
      a: { ...a, ...untold },
      again: { ...again, ...untold },
      b: { ...b, ...untold, batchMsPerImage: b.batchMsPerImage * 1.2 },
      order,
    }));
    const slow = await result(measured, { isForeign: true, options: { ...options, base, head } });
    expect(slow.verdict).toBe('regression');
    expect(slow.environment).toMatchObject({ provider: 'external', postgres: '–', inference: { provider: 'unknown' } });
    expect(slow.compare?.metrics.map(({ name }) => name)).toContain('batch, by its images');
    const text = compareTerminal(slow);
    expect(text).toContain('base ./a.ts (2.1), head ./b.ts;');
    expect(text).not.toContain('CPU per image');
    expect(text).not.toContain('NaN');
    expect(text).toMatch(/queries per image +– .*not-run: base does not tell/);
  });

  it('passes with what it would have seen', async () => {
    const same = await result(triples(10));
    expect(same.verdict).toBe('pass');
    expect(compareTerminal(same)).toMatch(/PASS {2}Head is not worse .* would have been found: CPU per image \+\d/);
  });

  it('keeps what was measured before an end, and says how it ended', async () => {
    const stopped = { reason: 'error', message: 'head (working tree) ended by SIGKILL' } as const;
    const ended = await result(triples(3), { stopped });
    expect(exitCodeOf(ended.verdict)).toBe(3);
    expect(ended.compare?.triples).toHaveLength(3);
    expect(compareTerminal(ended)).toContain('head (working tree) ended by SIGKILL');
    const before = await result([], { stopped: { reason: 'interrupted', message: 'SIGINT' } });
    expect(exitCodeOf(before.verdict)).toBe(130);
    expect(() => [htmlReport(before), markdownSummary(before), compareTerminal(before)]).not.toThrow();
  });

  it('says of simulated pools that they are simulated', async () => {
    const simulated = await result(triples(10), { options: { ...options, pool: 'sim:rtx-a5000-unet' } });
    expect(simulated.compare?.simulated).toBe(true);
    for (const text of [compareTerminal(simulated), htmlReport(simulated), markdownSummary(simulated)])
      expect(text).toContain('Simulated: no model ran on either side');
  });

  it('tells machines apart by their fingerprint', async () => {
    const { environment } = await result([]);
    expect(fingerprintOf(environment)).toBe(fingerprintOf({ ...environment, psiCpuSome: 0.1, notes: [] }));
    expect(fingerprintOf(environment)).not.toBe(fingerprintOf({ ...environment, cores: 64 }));
  });
});

describe('stageMoves', () => {
  it('names the stage and the role that a change sits in, largest first', () => {
    const moved = Array.from({ length: 6 }, (_, at) => {
      const wobble = 1 + at / 500;
      const base = figures({
        stageMs: { infer: 24 * wobble, decode: 3 },
        cpuMsByRole: { api: 2, inference: 26 * wobble },
      });
      const head = figures({ stageMs: { infer: 30 * wobble, decode: 3 }, cpuMsByRole: { api: 2, inference: 32 } });
      return { a: base, again: base, b: head, order: '' };
    });
    const [first, second, ...rest] = stageMoves(moved, 1);
    expect([first, second].map((move) => [move?.kind, move?.name, move?.moved])).toEqual([
      ['stage', 'infer', true],
      ['cpu', 'inference', true],
    ]);
    expect(first?.ratio).toBeCloseTo(1.25, 6);
    expect(rest.map(({ moved: has }) => has)).toEqual([false, false]);
    expect(stageMoves(moved.slice(0, 3), 1).some(({ moved: has }) => has)).toBe(false);
  });
});
