import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import type { BudgetVerdict, JudgedBudget, ResultFile, RunData } from '../../src/contract.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { readResult } from '../../src/judge/read-result.ts';
import { exitCodeOf, verdictOf } from '../../src/judge/verdict.ts';
import { measurementsWith, runData } from './run-data.ts';

const tool = { name: 'segbench', version: '0.1.0', commit: 'test' };
function judge(run: RunData, baseline?: ResultFile): ResultFile {
  return judgeRun({ run, scenario: BULK_1000, tool, baseline: baseline && { file: 'base.json', result: baseline } });
}
const good = judge(runData());

function budget(verdict: BudgetVerdict): JudgedBudget {
  return { name: 'toasts', unit: 'count', operator: '=', limit: 1, actual: 1, values: [], verdict, source: '' };
}

describe('verdictOf', () => {
  it('follows the contract’s order, whatever else holds', () => {
    const order = ['fail', 'inconclusive', 'not-run', 'pass', 'n/a'] as const;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...order)),
        fc.boolean(),
        fc.option(fc.boolean()),
        (states, hasGap, regressed) => {
          const row = { metric: 'toasts', unit: 'count', base: 1, now: 2, ratio: 2, gate: true } as const;
          const rows = [{ ...row, verdict: regressed === true ? ('regression' as const) : ('same' as const) }];
          const evidence = {
            budgets: states.map(budget),
            contradictions: hasGap ? ['two counts differ'] : [],
            ...(regressed === null ? {} : { baseline: { file: '', comparable: true, notes: [], rows } }),
          };
          const verdict = verdictOf(evidence);
          const has = (state: BudgetVerdict): boolean => states.includes(state);
          const unsure = has('inconclusive') || has('not-run') || hasGap || !has('pass');
          const expected = has('fail') ? 'fail' : regressed === true ? 'regression' : unsure ? 'inconclusive' : 'pass';
          expect(verdict).toBe(expected);
          for (const [reason, ended] of [
            ['interrupted', 'interrupted'],
            ['error', 'error'],
          ] as const) {
            expect(verdictOf({ ...evidence, stopped: { reason, message: '' } })).toBe(ended);
          }
        },
      ),
    );
  });

  it('gives each verdict the contract’s exit code', () => {
    const codes = { interrupted: 130, error: 3, fail: 1, regression: 4, inconclusive: 5, pass: 0 } as const;
    for (const verdict of ['interrupted', 'error', 'fail', 'regression', 'inconclusive', 'pass'] as const) {
      expect(exitCodeOf(verdict)).toBe(codes[verdict]);
      expect(exitCodeOf(verdict, 'warn')).toBe(verdict === 'inconclusive' ? 0 : codes[verdict]);
    }
  });
});

describe('judgeRun', () => {
  it('makes a passing result file of a good run', () => {
    expect(good).toMatchObject({ schemaVersion: 1, verdict: 'pass', clientMode: 'optimized', notes: [], tool });
    expect(good.client.toasts).toBe(2);
    expect(good).not.toHaveProperty('measurements');
    expect(JSON.parse(JSON.stringify(good))).toEqual(good);
  });

  it('fails on one violated budget, and is inconclusive on one that was not measured', () => {
    expect(judge(runData({ measurements: measurementsWith({ toasts: 2 }) })).verdict).toBe('fail');
    expect(judge(runData({ measurements: measurementsWith({ toasts: null }) })).verdict).toBe('inconclusive');
  });

  it('passes with fewer images when only the budgets for 1,000 do not apply', () => {
    const images = { ...runData().images, count: 66 };
    const result = judge(runData({ images }));
    expect(result.verdict).toBe('pass');
    expect(result.budgets.filter((b) => b.verdict === 'n/a').map((b) => b.name)).toContain('ui_settle_ms');
  });

  it('is inconclusive and says so when two counts of one thing differ', () => {
    const { delivery } = runData();
    const lost = judge(runData({ delivery: { ...delivery, completed: 990 } }));
    expect(lost).toMatchObject({
      verdict: 'inconclusive',
      notes: [expect.stringContaining('1000 images were submitted, 990')],
    });
    expect(judge(runData({ delivery: { ...delivery, sequenceGaps: 2 } })).notes[0]).toMatch(/2 gaps/);
    expect(judge(runData({ delivery: { ...delivery, missing: 1 } })).notes[0]).toMatch(
      /delivery_missing is 0, the ledger counts 1/,
    );
  });

  it('names rejected and failed images and what ended the run early', () => {
    const images = {
      ...runData().images,
      rejected: [{ name: 'a.png', code: 'INVALID_IMAGE', message: 'cut' }],
      failedByCode: { TIMEOUT: 2 },
    };
    const result = judge(runData({ images, stopped: { reason: 'error', message: 'PostgreSQL died' } }));
    expect(result.verdict).toBe('error');
    expect(result.notes).toEqual([
      'error: PostgreSQL died',
      'files rejected: 1 (1 INVALID_IMAGE)',
      'images that ended failed: 2 TIMEOUT',
    ]);
  });
});

describe('judgeRun with a baseline', () => {
  const changed = (change: (run: RunData) => void): ResultFile => {
    const run = structuredClone(runData());
    change(run);
    return judge(run, good);
  };
  const row = (result: ResultFile, metric: string): string | undefined =>
    result.baseline?.rows.find((entry) => entry.metric === metric)?.verdict;

  it('passes against itself', () => {
    const again = judge(runData(), good);
    expect(again.verdict).toBe('pass');
    expect(again.baseline).toMatchObject({ comparable: true, notes: [], file: 'base.json' });
  });

  it('calls more calls or more bytes a regression, with exit code 4', () => {
    const calls = changed((run) => (run.clientSummary.bulkCalls = 5));
    expect([calls.verdict, exitCodeOf(calls.verdict), row(calls, 'bulk calls')]).toEqual([
      'regression',
      4,
      'regression',
    ]);
    expect(changed((run) => (run.clientSummary.resultBytesWire *= 1.03)).verdict).toBe('regression');
    expect(changed((run) => (run.clientSummary.resultBytesWire *= 1.01)).verdict).toBe('pass');
    expect(
      row(
        changed((run) => (run.clientSummary.bulkCalls = 3)),
        'bulk calls',
      ),
    ).toBe('better');
  });

  it('only reports times, and not even those between different machines', () => {
    const slow = changed((run) => (run.measurements = measurementsWith({ inference_p95_ms: 4000 })));
    expect([slow.verdict, row(slow, 'inference_p95_ms')]).toEqual(['pass', 'reported']);
    const elsewhere = changed((run) => (run.environment.cpuModel = 'Other CPU'));
    expect([elsewhere.verdict, row(elsewhere, 'inference_p95_ms')]).toEqual(['pass', 'incomparable']);
    expect(elsewhere.baseline?.notes).toEqual(['times are incomparable: CPU was Test CPU, is Other CPU']);
  });

  it('concludes nothing from other images, model or client', () => {
    const other = changed((run) => {
      run.images.sha256OfSet = 'ff'.repeat(32);
      run.clientSummary.bulkCalls = 9;
    });
    expect([other.verdict, exitCodeOf(other.verdict)]).toEqual(['inconclusive', 5]);
    expect(other.baseline?.notes[0]).toMatch(/^incomparable: images was cdcd/);
  });
});

describe('readResult', () => {
  it('gives back a result file, and refuses anything else by name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'segbench-baseline-'));
    const write = (text: string): string => {
      writeFileSync(join(folder, 'r.json'), text);
      return join(folder, 'r.json');
    };
    try {
      expect(await readResult(write(JSON.stringify(good)))).toEqual(good);
      const older = JSON.stringify(good).replace('"operator":">="', '"operator":">"');
      expect(older).toContain('"operator":">",');
      expect(await readResult(write(older))).toEqual(good);
      await expect(readResult(write('{'))).rejects.toThrow(/--baseline ".*r\.json" cannot be read/);
      await expect(readResult(write('{"schemaVersion":2}'))).rejects.toThrow(/schemaVersion 2; allowed: 1/);
      await expect(readResult(write('{"schemaVersion":1}'))).rejects.toBeInstanceOf(UsageError);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
