import { describe, expect, it } from 'vitest';
import { GATE_BUDGETS } from '../../../scenarios/budgets-gate.ts';
import { decide } from '../../src/compare/decide.ts';
import { gateMeasurements, gateTables, type Played } from '../../src/gate/judge.ts';
import { forRecording } from '../../src/gate/noise.ts';
import { REAL_PLANTS } from '../../src/gate/plants.ts';
import { PLANTED, type GateProof, type Outcomes } from '../../src/gate/played.ts';
import type { RealOutcome } from '../../src/gate/real.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { figures, triples } from '../compare/triples.ts';

const outcomes = (runs: number, verdicts: Partial<Outcomes['verdicts']>): Outcomes => ({
  runs,
  verdicts: { pass: 0, regression: 0, inconclusive: 0, ...verdicts },
  meanPairs: 10,
});
const FOUND = outcomes(100, { regression: 100 });
const proof = (over: { same?: Outcomes; found?: Partial<Record<string, Outcomes>> } = {}): GateProof => ({
  same: over.same ?? outcomes(473, { pass: 473 }),
  planted: PLANTED.map(({ name }) => ({ name, found: over.found?.[name] ?? FOUND })),
});
function played(name: string, given: Parameters<typeof proof>[0] = {}, foreignCpuShare = 0.02): Played {
  const measured = triples(20).map((triple) => ({ ...triple, b: { ...triple.b, foreignCpuShare } }));
  const loud = measured.map(({ a, again, b, order }) => ({
    a: { ...a, foreignCpuShare },
    again: { ...again, foreignCpuShare },
    b,
    order,
  }));
  const about = {
    date: '2026-01-02',
    machine: 'two cores',
    load: 'none',
    commit: 'c',
    imagesPerBlock: 100,
    workers: 2,
  };
  return { name, noise: { ...about, triples: loud }, proof: proof(given) };
}
function real(plant: string | null, measured = triples(10)): RealOutcome {
  return {
    plant: REAL_PLANTS.find(({ name }) => name === plant) ?? null,
    decision: decide(measured, { looks: [10], isLast: true, seed: 1 }),
    triples: measured,
    tookMs: 1000,
  };
}
const SLOW = triples(10, { growth: { cpuMsPerImage: 1.12 } });
const GOOD = [real(null), real('+10 % CPU per image', SLOW)];
const WANTED = { same: 1, planted: 1 };
function verdicts(...given: Parameters<typeof gateMeasurements>): string[] {
  const judged = judgeBudgets(gateMeasurements(...given), GATE_BUDGETS, { imageCount: 100 });
  return judged.filter(({ verdict }) => verdict !== 'pass').map(({ name, verdict }) => `${name} ${verdict}`);
}

describe('the proof of the gate', () => {
  it('holds for a gate that finds what is planted and nothing else', () => {
    expect(verdicts([played('quiet')], GOOD, WANTED)).toEqual([]);
  });

  it('allows one false alarm of 473, and no second', () => {
    const alarms = (count: number) => [
      played('quiet', { same: outcomes(473, { regression: count, pass: 473 - count }) }),
    ];
    expect(verdicts(alarms(1), GOOD, WANTED)).toEqual([]);
    expect(verdicts(alarms(2), GOOD, WANTED)).toEqual(['gate_false_alarms fail']);
  });

  it('fails where one planted growth is found in 94 of 100, and names it', () => {
    const weak = { '+20 % bytes': outcomes(100, { regression: 94, inconclusive: 6 }) };
    const given = [played('quiet'), played('busy', { found: weak })];
    expect(verdicts(given, GOOD, WANTED)).toEqual(['gate_power fail']);
    expect(gateMeasurements(given, GOOD, WANTED).gate_power?.note).toContain('+20 % bytes on busy');
  });

  it('asks no clock of a busy recording, but that it passes nothing', () => {
    const blind = { '+15 % p50': outcomes(100, { inconclusive: 100 }) };
    expect(verdicts([played('quiet'), played('busy', { found: blind }, 0.7)], GOOD, WANTED)).toEqual([]);
    const wrong = { '+15 % p50': outcomes(100, { pass: 6, inconclusive: 94 }) };
    expect(verdicts([played('quiet'), played('busy', { found: wrong }, 0.7)], GOOD, WANTED)).toEqual([
      'gate_wrong_passes fail',
    ]);
    expect(verdicts([played('busy', { found: blind }, 0.7)], GOOD, WANTED)).toEqual(['gate_power inconclusive']);
  });

  it('fails by a false alarm for real, and by a planted growth that was passed for real', () => {
    expect(verdicts([played('quiet')], [real(null, SLOW), GOOD[1]!], WANTED)).toEqual(['gate_real_false_alarms fail']);
    expect(verdicts([played('quiet')], [GOOD[0]!, real('+20 % bytes')], WANTED)).toEqual(['gate_real_missed fail']);
  });

  it('is open where less was run than planned, or a machine could not tell', () => {
    expect(verdicts([played('quiet')], GOOD, { same: 2, planted: 2 })).toEqual([
      'gate_real_false_alarms inconclusive',
      'gate_real_missed inconclusive',
    ]);
    const loud = triples(10).map(({ a, again, b, order }) => ({
      a: { ...a, foreignCpuShare: 0.7 },
      again: { ...again, foreignCpuShare: 0.7 },
      b: { ...b, foreignCpuShare: 0.7 },
      order,
    }));
    expect(verdicts([played('quiet')], [GOOD[0]!, real('+15 % p50', loud)], WANTED)).toEqual([
      'gate_real_missed inconclusive',
    ]);
    expect(verdicts([], [], WANTED)).toEqual(GATE_BUDGETS.map(({ name }) => `${name} not-run`));
  });

  it('shows all of it', () => {
    const tables = gateTables([played('quiet')], GOOD);
    expect(tables.map(({ title }) => title)).toEqual(['For real, end to end', 'Played on the recording "quiet"']);
    expect(tables[0]!.rows.map(([plant, verdict]) => [plant, verdict])).toEqual([
      ['nothing', 'pass'],
      ['+10 % CPU per image', 'regression'],
    ]);
    expect(tables[1]!.rows).toHaveLength(1 + PLANTED.length);
  });

  it('plants for real what it plants on recordings', () => {
    expect(REAL_PLANTS.map(({ name }) => name)).toEqual(PLANTED.map(({ name }) => name));
  });

  it('keeps recordings small', () => {
    const [one] = forRecording([
      { a: figures({ cpuMsPerImage: 30.123456789 }), again: figures(), b: figures(), order: '' },
    ]);
    expect(one!.a).toMatchObject({ cpuMsPerImage: 30.123, cpuMsByRole: {}, stageMs: {} });
  });
});
