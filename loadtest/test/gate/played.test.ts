import { describe, expect, it } from 'vitest';
import { isQuiet, readRecordings } from '../../src/gate/noise.ts';
import { calculatePower, CLOCKS, PLANTED, playComparisons, playOn } from '../../src/gate/played.ts';

/** Fewer than the scenario plays: enough to see a rule that broke. */
const RUNS = { same: 100, planted: 40 };
const RECORDINGS = await readRecordings();

describe('recorded noise', () => {
  it('is of a quiet machine, twice, and of a busy one', () => {
    expect(RECORDINGS.map(({ name, noise }) => [name, isQuiet(noise)])).toEqual([
      ['busy', false],
      ['quiet-ten', true],
      ['quiet', true],
    ]);
  });
});

describe.each(RECORDINGS)('the gate on the recording "$name"', async ({ noise }) => {
  const { same, planted } = await playOn(noise, RUNS);

  it('gives no false alarm', () => {
    expect(same.runs).toBe(RUNS.same);
    expect(same.verdicts.regression).toBe(0);
  });

  it('finds what is planted, as far as a clock can tell on that machine', () => {
    const judged = planted.filter(({ name }) => isQuiet(noise) || !CLOCKS.includes(name));
    expect(judged.filter(({ found }) => found.verdicts.regression < 0.9 * RUNS.planted)).toEqual([]);
  });

  it('passes nothing of what is planted', () => {
    expect(planted.filter(({ found }) => found.verdicts.pass > 0.05 * RUNS.planted)).toEqual([]);
  });
});

describe('a recording of several comparisons', () => {
  it('is played one comparison at a time: their images differ by more than what is planted', () => {
    const { noise } = RECORDINGS.find(({ name }) => name === 'quiet-ten')!;
    const { growth } = PLANTED.find(({ name }) => name === '+20 % bytes')!;
    const { comparisons: _none, ...mixed } = noise;
    const found = [noise, mixed].map((recording) => playComparisons(recording, { runs: 100, seed: 7, growth }));
    expect(found[0]!.verdicts.regression).toBe(100);
    expect(found[1]!.verdicts.regression).toBeLessThan(100);
  });
});

describe('the gate on calculated noise', () => {
  const power = calculatePower(RECORDINGS[0]!.noise, RUNS.planted);

  it('finds +15 % p50 and +10 % CPU where blocks of one program differ by 5 %', () => {
    const quiet = power.find(({ spread }) => spread === 0.05);
    expect(quiet?.p50.verdicts.regression).toBeGreaterThanOrEqual(0.9 * RUNS.planted);
    expect(quiet?.cpu.verdicts.regression).toBeGreaterThanOrEqual(0.9 * RUNS.planted);
  });

  it('never cries wolf, however noisy', () => {
    expect(power.map(({ same }) => same.verdicts.regression)).toEqual(power.map(() => 0));
  });
});
