import { describe, expect, it } from 'vitest';
import { decide } from '../../src/compare/decide.ts';
import { looksOf } from '../../src/compare/looks.ts';
import type { Decision } from '../../src/compare/contract.ts';
import { triples } from './triples.ts';

const judge = (count: number, given: Parameters<typeof triples>[1] = {}, isLast = true): Decision =>
  decide(triples(count, given), { looks: looksOf(Math.max(count, 30)), isLast, seed: 1 });
const metric = (decision: Decision, name: string) => decision.metrics.find((one) => one.metric === name);

describe('looksOf', () => {
  it('looks at 10, 20 and 30 pairs, and at the end of a shorter run', () => {
    expect(looksOf(30)).toEqual([10, 20, 30]);
    expect(looksOf(3)).toEqual([3]);
    expect(looksOf(12)).toEqual([12]);
    expect(looksOf(40)).toEqual([10, 20, 30, 40]);
  });
});

describe('decide', () => {
  it('passes one program against itself, early, and says what it would have seen', () => {
    const decision = judge(10, {}, false);
    expect(decision.verdict).toBe('pass');
    expect(decision.clear).toBe(true);
    expect(decision.words[0]).toMatch(/would have been found: CPU per image \+\d/);
    expect(metric(decision, 'cpuMsPerImage')?.smallest).toBeLessThan(0.12);
  });

  it('finds a tenth more CPU, and does not go on', () => {
    const decision = judge(10, { growth: { cpuMsPerImage: 1.1 } }, false);
    expect(decision.verdict).toBe('regression');
    expect(decision.clear).toBe(true);
    expect(decision.words[0]).toContain('CPU per image');
    expect(metric(decision, 'imageP50Ms')?.verdict).toBe('pass');
  });

  it('leaves growth below what matters alone, however significant', () => {
    const decision = judge(30, { growth: { cpuMsPerImage: 1.04 }, spread: 0.01 });
    expect(metric(decision, 'cpuMsPerImage')).toMatchObject({ verdict: 'pass', why: 'less than what matters' });
    expect(metric(decision, 'cpuMsPerImage')?.p).toBeLessThan(0.001);
  });

  it('finds nothing significant in what two processes of one program differ by, however many pairs', () => {
    const decision = judge(60, { growth: { cpuMsPerImage: 1.02 }, spread: 0.005 });
    expect(metric(decision, 'cpuMsPerImage')).toMatchObject({ verdict: 'pass', p: 1 });
  });

  it('does not take a large ratio of few pairs for a regression', () => {
    const decision = judge(3, { growth: { cpuMsPerImage: 1.5 } });
    expect(decision.verdict).toBe('inconclusive');
    expect(metric(decision, 'cpuMsPerImage')).toMatchObject({ verdict: 'inconclusive', smallest: null });
  });

  it('cannot tell where the noise hides three times what matters', () => {
    const decision = judge(10, { spread: 0.5, seed: 3 });
    expect(decision.verdict).toBe('inconclusive');
  });

  it('doubts itself when one program differs from itself', () => {
    const drifting = triples(30).map((triple) => ({
      ...triple,
      again: { ...triple.again, imageP50Ms: triple.again.imageP50Ms * 1.09 },
    }));
    const decision = decide(drifting, { looks: [10, 20, 30], isLast: true, seed: 1 });
    expect(metric(decision, 'imageP50Ms')?.why).toMatch(/the same program differed from itself by \+8/);
    expect(decision.verdict).toBe('inconclusive');
  });

  it('believes no clock beside foreign load, and the kernel’s count of CPU time all the same', () => {
    const disturbed = (growth: number) =>
      decide(
        triples(20, { growth: { cpuMsPerImage: growth, imageP50Ms: 2 } }).map((triple) => ({
          ...triple,
          a: { ...triple.a, foreignCpuShare: 0.4 },
          b: { ...triple.b, foreignCpuShare: 0.5 },
          again: { ...triple.again, generatorLagP99Ms: 80 },
        })),
        { looks: [20], isLast: true, seed: 1 },
      );
    const still = disturbed(1);
    expect(still.verdict).toBe('inconclusive');
    expect(metric(still, 'imageP50Ms')?.why).toMatch(/other processes took/);
    expect(metric(still, 'cpuMsPerImage')?.verdict).toBe('pass');
    expect(disturbed(1.15).verdict).toBe('regression');
  });

  it('gates one more query per image after five pairs, whatever the times say', () => {
    const head = { queriesPerImage: 2.2 };
    expect(judge(4, { head }, false).counts.map(({ verdict }) => verdict)).not.toContain('regression');
    const decision = judge(5, { head }, false);
    expect(decision).toMatchObject({ verdict: 'regression', clear: true });
    expect(decision.counts.find(({ metric: name }) => name === 'queriesPerImage')).toMatchObject({
      verdict: 'regression',
      base: 1.2,
      now: 2.2,
    });
  });

  it('finds one more query where those of equal blocks overlap, at a look, by pairs', () => {
    const blurred = (more: number) =>
      triples(10).map((triple, at) => ({
        ...triple,
        a: { ...triple.a, queriesPerImage: (at % 5) / 2 },
        again: { ...triple.again, queriesPerImage: (at % 5) / 2 + 0.1 },
        b: { ...triple.b, queriesPerImage: (at % 5) / 2 + more },
      }));
    const verdictOf = (more: number, countsOnly: boolean) =>
      decide(blurred(more), { looks: [10], isLast: false, seed: 1, countsOnly }).counts[0]?.verdict;
    expect(verdictOf(1, false)).toBe('regression');
    expect(verdictOf(1, true)).toBe('pass');
    expect(verdictOf(0.3, false)).toBe('pass');
  });

  it('gates bytes, frames, lost events and failed images', () => {
    const red = (head: Parameters<typeof triples>[1]) =>
      judge(5, head)
        .counts.filter(({ verdict }) => verdict === 'regression')
        .map((one) => one.metric);
    expect(red({ head: { apiBytesPerImage: 9600 } })).toEqual(['apiBytesPerImage']);
    expect(red({ head: { framesPerBatch: 100 } })).toEqual(['framesPerBatch']);
    expect(red({ head: { eventsWrong: 1 } })).toEqual(['eventsWrong']);
    expect(red({ head: { notCompleted: 2 } })).toEqual(['notCompleted']);
    expect(red({ head: { apiBytesPerImage: 8050, queriesPerImage: 1.5, framesPerBatch: 20 } })).toEqual([]);
  });

  it('says which side does not tell a count', () => {
    const decision = judge(10, { head: { queriesPerImage: null } });
    expect(decision.counts[0]).toMatchObject({ verdict: 'not-run', why: 'head does not tell' });
    expect(decision.verdict).toBe('pass');
  });

  it('is the same for the same blocks and seed', () => {
    expect(judge(20, { growth: { imageP50Ms: 1.1 } })).toEqual(judge(20, { growth: { imageP50Ms: 1.1 } }));
  });
});
