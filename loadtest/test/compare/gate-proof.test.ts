import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  FALSE_ALARM_RUNS,
  POWER_RUNS,
  gateProofTable,
  playComparisons,
  proveGate,
} from '../../src/compare/gate-proof.ts';
import type { GateProof, RecordedNoise } from '../../src/compare/gate-proof.ts';

const noiseOf = (name: string): RecordedNoise =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8')) as RecordedNoise;
const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/verdicts.md'), 'utf8').replaceAll(/ +/g, ' ');
const found = (proof: GateProof, name: string): number =>
  proof.planted.find((one) => one.name === name)?.found.verdicts.regression ?? 0;
/** The page's tables are aligned by a formatter: blanks and dashes do not count. */
const rowsOf = (proof: GateProof): string[] => gateProofTable(proof).filter((line) => !line.includes('---'));

describe.each(['noise-busy.json', 'noise-quiet.json'])('the gate on %s', (name) => {
  const noise = noiseOf(name);
  const proof = proveGate(noise);

  it(`gives at most one false alarm in ${FALSE_ALARM_RUNS} comparisons of a program with itself`, () => {
    expect(proof.same.runs).toBe(473);
    expect(proof.same.verdicts.regression).toBeLessThanOrEqual(1);
  });

  it.each(['+10 % CPU per image', 'one extra query per image', '+20 % bytes', 'a dropped batch window'])(
    `finds %s in 95 of ${POWER_RUNS}`,
    (planted) => {
      expect(found(proof, planted)).toBeGreaterThanOrEqual(95);
    },
  );

  it('has its figures on the page', () => {
    for (const row of rowsOf(proof)) expect(PAGE).toContain(row);
  });
});

describe('the gate on a quiet machine', () => {
  it('finds +15 % p50 in 95 of 100', () => {
    expect(found(proveGate(noiseOf('noise-quiet.json')), '+15 % p50')).toBeGreaterThanOrEqual(95);
  });
});

describe('the proof itself', () => {
  it('would show a gate that cries wolf: noise that differs from itself is no pass', () => {
    const noise = noiseOf('noise-quiet.json');
    // Head 12 % slower in CPU, counted as "nothing planted": every comparison must be an alarm.
    const { verdicts } = playComparisons(noise, {
      runs: 20,
      seed: 1,
      growth: (head) => ({ ...head, cpuMsPerImage: head.cpuMsPerImage * 1.12 }),
    });
    expect(verdicts.regression).toBeGreaterThanOrEqual(19);
  });
});
