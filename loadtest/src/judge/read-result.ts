import { readFile } from 'node:fs/promises';
import { UsageError } from '../cli/usage-error.ts';
import type { ResultFile } from '../contract.ts';

/** Reads a `result.json` that somebody named on the command line. @throws UsageError when it is none, or of another schema. */
export async function readResult(path: string, flag = '--baseline'): Promise<ResultFile> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${flag} "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const version =
    typeof value === 'object' && value !== null && 'schemaVersion' in value ? value.schemaVersion : undefined;
  if (version !== 1)
    throw new UsageError(
      `${flag} "${path}" has schemaVersion ${String(version)}; allowed: 1 (a result.json of this version)`,
    );
  const missing = ['scenario', 'environment', 'images', 'budgets', 'client', 'efficiency'].filter(
    (key) => !Object.hasOwn(value as object, key),
  );
  if (missing.length > 0) throw new UsageError(`${flag} "${path}" is no result.json: it lacks ${missing.join(', ')}`);
  return ofToday(value as ResultFile);
}

/**
 * Files of earlier versions held the throughput by `>`, which is none of the operators of a result file. Their verdict stays: only a figure
 * that is its limit could have another.
 */
function ofToday(result: ResultFile): ResultFile {
  const budgets = result.budgets.map((budget) =>
    (budget.operator as string) === '>' ? { ...budget, operator: '>=' as const } : budget,
  );
  return { ...result, budgets };
}
