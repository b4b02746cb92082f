import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scenarioByName, type Scenario } from '../../../scenarios/index.ts';
import { UsageError } from '../cli/usage-error.ts';
import type { ResultFile, RunData } from '../contract.ts';
import { judgeRun } from '../judge/judge-run.ts';
import { readResult } from '../judge/read-result.ts';
import { blankRunData } from '../run/run-data.ts';
import { describeTool } from '../run/tool.ts';
import { ledgerOf, type ProofLedger } from './ledger.ts';
import { provenBy } from './proven.ts';
import { readRaw } from './raw.ts';

/**
 * The verdict of a run, found again from its raw ledger and nothing else. Where the run's own result lies beside it, the two are
 * held against each other.
 * @param path a run's folder, its page, or its ledger's file
 * @throws UsageError when there is no ledger to read
 */
export async function rejudge(path: string): Promise<{ result: ResultFile; disagreements: string[] }> {
  const { records, bytes } = await readRaw(path);
  let ledger: ProofLedger;
  let scenario: Scenario;
  try {
    ledger = ledgerOf(records);
    scenario = scenarioByName(ledger.run.scenario);
  } catch (error) {
    throw new UsageError(`--rejudge "${path}": ${(error as Error).message}`);
  }
  const { run, stopped, defects, finishedAt } = ledger;
  const { failedByCode, ...proven } = provenBy(ledger);
  const tool = await describeTool();
  const blank = await blankRunData({
    scenario: run.scenario,
    client: 'optimized',
    seed: run.seed,
    source: 'synthetic',
    pool: 'local',
    startedAt: new Date(run.startedAt),
    ...(stopped ? { stopped } : {}),
  });
  const again: RunData = {
    ...blank,
    finishedAt,
    ...proven,
    images: { ...blank.images, count: run.images, failedByCode },
    environment: {
      ...blank.environment,
      notes: [
        `judged again from the raw ledger of ${run.target.name} by ${run.tool}; this machine had no part in the run`,
        ...defects,
      ],
    },
  };
  const result = judgeRun({ run: again, scenario, tool });
  return { result, disagreements: await disagreementsOf(path, result, bytes) };
}

/** What the run said of itself that its raw data do not say. */
async function disagreementsOf(path: string, again: ResultFile, bytes: Uint8Array): Promise<string[]> {
  const file = join(path, 'result.json');
  if (!statSync(path).isDirectory() || !existsSync(file)) return [];
  const said = await readResult(file);
  const found: string[] = [];
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (said.rawLedger?.sha256 !== sha256)
    found.push(
      `the raw ledger is not the one that the run left: sha256 ${sha256}, ${file} names ${said.rawLedger?.sha256 ?? 'none'}`,
    );
  if (said.verdict !== again.verdict) found.push(`${file} says ${said.verdict}, the raw ledger says ${again.verdict}`);
  for (const budget of again.budgets) {
    const before = said.budgets.find(({ name }) => name === budget.name);
    if (before?.actual !== budget.actual || before.verdict !== budget.verdict)
      found.push(
        `${budget.name}: ${file} says ${before?.actual ?? 'nothing'} (${before?.verdict ?? 'not there'}), the raw ledger ${budget.actual ?? 'nothing'} (${budget.verdict})`,
      );
  }
  return found;
}
