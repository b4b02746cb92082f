import { formatValue } from '../report/format.ts';
import { RATCHET_METRICS, acceptInto, findEntry, incomparable } from '../judge/ratchet.ts';
import { RATCHET_FILE, readRatchet, writeRatchet } from '../judge/ratchet-file.ts';
import { readResult } from '../judge/read-result.ts';
import { UsageError } from './usage-error.ts';

/**
 * Takes a bench run's counts and bytes into the ratchet, with the reason. Returns what it changed, for the terminal.
 * @throws UsageError for a result whose figures the ratchet does not hold
 */
export async function acceptResult(
  { reason, result: path }: { reason: string; result: string },
  given: { file?: string; now?: Date } = {},
): Promise<string> {
  const { file: at = RATCHET_FILE, now = new Date() } = given;
  const result = await readResult(path, '--result');
  const other = incomparable(result);
  if (other !== undefined) throw new UsageError(`--result "${path}" cannot be accepted: ${other}`);
  const before = await readRatchet(at);
  const { file, changed } = acceptInto(before, result, { reason, date: now.toISOString().slice(0, 10) });
  if (changed.length === 0) return 'nothing to accept: every figure is within what is committed';
  await writeRatchet(file, at);
  const lines = changed.map((entry) => {
    const metric = RATCHET_METRICS.find((one) => one.metric === entry.metric);
    const was = metric && findEntry(before, metric, result)?.value;
    const text = (value: number | undefined): string => formatValue(value ?? null, metric?.unit ?? 'count');
    return `  ${metric?.name ?? entry.metric}: ${was === undefined ? 'new' : text(was)} → ${text(entry.value)}`;
  });
  return [`accepted into ${at}; commit it:`, ...lines].join('\n');
}
