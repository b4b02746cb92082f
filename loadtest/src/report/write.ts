import { appendFile, mkdir, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ResultFile } from '../contract.ts';
import { readHistory } from './history.ts';
import { junitReport } from './junit.ts';
import { markdownSummary } from './markdown.ts';
import { prometheusReport } from './prometheus.ts';
import { actionBenchmark, bencherMetrics } from './trackers.ts';

export interface WriteOptions {
  /** The run's folder, such as `bench-results/20260102T030405Z-bulk-1000`; made where missing. */
  folder: string;
  /** File that a CI job shows as its summary (GITHUB_STEP_SUMMARY); appended to. */
  stepSummary?: string | undefined;
}
export interface Written {
  files: string[];
  /** What could not be done beside the artefacts themselves, in words. */
  warnings: string[];
}

/**
 * Writes all artefacts of a run, the result first and each by rename, so that a reader never sees half a file and a full disk
 * costs as little as possible; then points `latest` beside the run's folder at it. `events.ndjson` is the collector's: an
 * empty one is made only where a run ended before its first event.
 */
export async function writeArtefacts(result: ResultFile, { folder, stepSummary }: WriteOptions): Promise<Written> {
  await mkdir(folder, { recursive: true });
  const summary = markdownSummary(result);
  // Only now: 40 MB of drawing have no place in a process that measures.
  const { htmlReport } = await import('./html.ts');
  const contents: [string, string][] = [
    ['result.json', `${JSON.stringify(result, null, 2)}\n`],
    ['summary.md', summary],
    ['junit.xml', junitReport(result)],
    ['metrics.prom', prometheusReport(result)],
    ['benchmark-smaller.json', actionBenchmark(result, 'smaller')],
    ['benchmark-bigger.json', actionBenchmark(result, 'bigger')],
    ['bencher.json', bencherMetrics(result)],
    [
      'report.html',
      htmlReport(result, { rawLedger: await rawLedgerOf(result, folder), before: await readHistory(result, folder) }),
    ],
  ];
  for (const [name, text] of contents) await replaceFile(join(folder, name), text);
  await (await open(join(folder, 'events.ndjson'), 'a')).close();
  const warnings: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    await work().catch((error: unknown) =>
      warnings.push(`${what}: ${error instanceof Error ? error.message : String(error)}`),
    );
  };
  await attempt('the link "latest" was not set', () => linkLatest(folder));
  if (stepSummary) await attempt('the step summary was not written', () => appendFile(stepSummary, `${summary}\n`));
  return { files: [...contents.map(([name]) => name), 'events.ndjson'].map((name) => join(folder, name)), warnings };
}

/** What a page may carry; a larger ledger is only named. */
const MOST_EMBEDDED_BYTES = 4e6;

/** Of a folder that was written again elsewhere the file may be missing: then the page does without. */
async function rawLedgerOf({ rawLedger }: ResultFile, folder: string): Promise<Buffer | undefined> {
  if (!rawLedger || rawLedger.bytes > MOST_EMBEDDED_BYTES) return undefined;
  return await readFile(join(folder, rawLedger.file)).catch(() => undefined);
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A link cannot be overwritten, but another can be renamed over it: no moment without `latest`. Relative, so that the folder can be moved. */
async function linkLatest(folder: string): Promise<void> {
  const parent = dirname(resolve(folder));
  const temporary = join(parent, `.latest-${process.pid}`);
  await rm(temporary, { force: true });
  await symlink(basename(resolve(folder)), temporary, 'dir');
  try {
    await rename(temporary, join(parent, 'latest'));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
