import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  FALSE_ALARM_RUNS,
  POWER_RUNS,
  calculatePower,
  gateProofTable,
  powerTable,
  proveGate,
  type RecordedNoise,
} from '../../src/compare/gate-proof.ts';

const noise = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/noise-busy.json'), 'utf8')) as RecordedNoise;
/** The page's tables are aligned by a formatter: blanks and rules do not count. */
const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/verdicts.md'), 'utf8').replaceAll(/ +/g, ' ');
const missing = (table: readonly string[]): string[] =>
  table.filter((line) => !line.includes('---') && !PAGE.includes(line));

describe('the gate on noise that was recorded', () => {
  const proof = proveGate(noise);
  const found = (name: string) => proof.planted.find((one) => one.name === name)?.found.verdicts;

  it(`gives at most one false alarm in ${FALSE_ALARM_RUNS} comparisons of a program with itself`, () => {
    expect(proof.same.runs).toBe(473);
    expect(proof.same.verdicts.regression).toBeLessThanOrEqual(1);
  });

  it.each(['+10 % CPU per image', 'one extra query per image', '+20 % bytes', 'a dropped batch window'])(
    `finds %s in 95 of ${POWER_RUNS}`,
    (planted) => {
      expect(found(planted)?.regression).toBeGreaterThanOrEqual(95);
    },
  );

  it('says of a clock on that machine that it cannot tell, and never that all is well', () => {
    expect(found('+15 % p50')).toEqual({ pass: 0, regression: 0, inconclusive: POWER_RUNS });
  });

  it('has its figures on the page', () => {
    expect(missing(gateProofTable(proof))).toEqual([]);
  });
});

describe('the gate on calculated noise', () => {
  const power = calculatePower(noise);

  it('finds +15 % p50 and +10 % CPU in 95 of 100 where blocks of one program differ by 5 %', () => {
    const quiet = power.find(({ spread }) => spread === 0.05);
    expect(quiet?.p50.verdicts.regression).toBeGreaterThanOrEqual(95);
    expect(quiet?.cpu.verdicts.regression).toBeGreaterThanOrEqual(95);
  });

  it('never cries wolf, however noisy', () => {
    expect(power.map(({ same }) => same.verdicts.regression)).toEqual(power.map(() => 0));
  });

  it('has its figures on the page', () => {
    expect(missing(powerTable(power))).toEqual([]);
  });
});
