// Draws the dashboards from their files, with what a running Prometheus answers: where no Grafana can be had, and to look at in a
// clone. Pictures say that it was not Grafana who drew them.
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { EXIT, reportError } from '../../loadtest/src/cli/exit.ts';
import { helpOf, parseFlags, textOf, textsOf, type FlagTable, type FlagValues } from '../../loadtest/src/cli/flags.ts';
import { UsageError } from '../../loadtest/src/cli/usage-error.ts';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { drawDashboard, type DrawOptions, type PanelReport } from './draw/dashboard.ts';
import type { DashboardFile } from './draw/file.ts';
import type { Page } from './draw/page.ts';
import { writePicture } from './draw/picture.ts';
import { createPrometheus } from './draw/prometheus.ts';
import { durationMs, momentMs } from './draw/time.ts';

const HERE = resolve(import.meta.dirname, '..');
const FLAGS: FlagTable = {
  prometheus: { value: 'URL', help: 'the Prometheus that is asked, such as http://127.0.0.1:9090' },
  out: { value: 'DIR', help: 'folder of the pictures (.)' },
  dashboard: { value: 'UID', many: true, help: 'draw this one only; may be given again (all)' },
  from: { value: 'TIME', help: 'ISO 8601 or now-3h (what the dashboard has)' },
  to: { value: 'TIME', help: 'ISO 8601 or now (now)' },
  last: { value: 'DURATION', help: 'such as 15m, instead of --from and --to' },
  var: { value: 'NAME=VALUE', many: true, help: 'of a variable of the dashboard; may be given again (what it has)' },
  scrape: { value: 'DURATION', help: 'how often Prometheus scrapes (what the data source in provisioning/ says)' },
  help: { help: 'this page' },
};
const TITLE = 'Draws the dashboards of grafana/dashboards with the data of a running Prometheus; not by Grafana';

/** By their uids. */
async function readDashboards(): Promise<DashboardFile[]> {
  const names = (await readdir(join(HERE, 'dashboards'))).filter((name) => name.endsWith('.json')).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(HERE, 'dashboards', name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as DashboardFile);
}
async function provisionedScrape(): Promise<string> {
  const text = await readFile(join(HERE, 'provisioning/datasources/prometheus.yml'), 'utf8');
  const { datasources } = parse(text) as { datasources: { jsonData: { timeInterval: string } }[] };
  return datasources[0]!.jsonData.timeInterval;
}

/** What is said of a dashboard: panels that cannot be drawn, and panels and queries without a number. */
export const linesOf = (reports: readonly PanelReport[]): string[] =>
  reports.flatMap(({ title, error, empty, silent }) => {
    if (error !== null) return [`  error in "${title}": ${error}`];
    if (empty) return [`  no data in "${title}": ${silent.join('; ')}`];
    return silent.length === 0 ? [] : [`  partly in "${title}": ${silent.join('; ')}`];
  });

export const pictureName = (uid: string): string => `${uid.replace(/^segbench-/, 'dashboard-')}.webp`;

export interface DrawAll extends Omit<DrawOptions, 'range'> {
  out: string;
  /** Of a dashboard whose time is `from` and `to`. */
  rangeOf: (file: DashboardFile) => DrawOptions['range'];
  /** Uids; all where it is empty. */
  only?: readonly string[];
  say: (line: string) => void;
  /** @returns bytes of the file */
  write: (page: Page, path: string) => Promise<number>;
}
/** @returns whether every panel could be drawn. @throws UsageError for a dashboard or a variable that there is not */
export async function drawAll({ out, rangeOf, only = [], say, write, ...options }: DrawAll): Promise<boolean> {
  const all = await readDashboards();
  const unknown = only.find((uid) => !all.some((file) => file.uid === uid));
  if (unknown !== undefined)
    throw new UsageError(`no dashboard "${unknown}"; there are ${all.map(({ uid }) => uid).join(', ')}`);
  const files = all.filter(({ uid }) => only.length === 0 || only.includes(uid));
  const names = files.flatMap(({ templating }) => templating?.list ?? []).map(({ name }) => name);
  const strange = Object.keys(options.chosen ?? {}).find((name) => !names.includes(name));
  if (strange !== undefined)
    throw new UsageError(`no dashboard has the variable "${strange}"; there are ${names.join(', ')}`);
  await mkdir(out, { recursive: true });
  let failed = 0;
  for (const file of files) {
    const { page, reports } = await drawDashboard(file, { ...options, range: rangeOf(file) });
    const name = pictureName(file.uid);
    const bytes = await write(page, join(out, name));
    say(`${name}  ${(bytes / 1e3).toFixed(0)} kB, ${reports.length} panels`);
    for (const line of linesOf(reports)) say(line);
    failed += reports.filter(({ error }) => error !== null).length;
  }
  return failed === 0;
}

/** With a browser of its own. @throws EnvironmentError where none starts */
export async function drawPictures(options: Omit<DrawAll, 'write' | 'prometheus'> & { prometheusUrl: string }) {
  const tempDir = await mkdtemp(join(tmpdir(), 'segbench-draw-'));
  const launched = await launchBrowser({ tempDir, env: {}, log: options.say });
  try {
    return await drawAll({
      ...options,
      prometheus: createPrometheus(options.prometheusUrl),
      write: (page, path) => writePicture(launched.browser, page, path),
    });
  } finally {
    await launched.close();
    await rm(tempDir, { recursive: true, force: true });
  }
}

function chosenOf(values: FlagValues): Record<string, string[]> {
  const chosen: Record<string, string[]> = {};
  for (const pair of textsOf(values, 'var')) {
    const [name = '', value] = pair.split(/=(.*)/s);
    if (value === undefined) throw new UsageError(`--var "${pair}": expected NAME=VALUE`);
    (chosen[name] ??= []).push(value);
  }
  return chosen;
}
/** A RangeError of a flag's value is the caller's mistake. */
function usage<T>(flag: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`--${flag}: ${(error as Error).message}`);
  }
}

async function main(values: FlagValues): Promise<void> {
  const prometheusUrl = textOf(values, 'prometheus');
  if (prometheusUrl === undefined) throw new UsageError('--prometheus is missing: the address of a running Prometheus');
  const last = textOf(values, 'last');
  const [from, to] = ['from', 'to'].map((name) => textOf(values, name));
  if (last !== undefined && (from ?? to) !== undefined) throw new UsageError('--last goes without --from and --to');
  const now = Date.now();
  const [fromMs, toMs] = [
    from === undefined ? undefined : usage('from', () => momentMs(from, now)),
    usage('to', () => momentMs(to ?? 'now', now)),
  ];
  const lastMs = last === undefined ? undefined : usage('last', () => durationMs(last));
  const scrape = textOf(values, 'scrape') ?? (await provisionedScrape());
  const drawn = await drawPictures({
    prometheusUrl,
    out: resolve(textOf(values, 'out') ?? '.'),
    only: textsOf(values, 'dashboard'),
    chosen: chosenOf(values),
    scrapeMs: usage('scrape', () => durationMs(scrape)),
    rangeOf({ time }) {
      const begin = lastMs === undefined ? (fromMs ?? momentMs(time.from, now)) : now - lastMs;
      if (begin >= toMs) throw new UsageError(`--from (${new Date(begin).toISOString()}) is not before --to`);
      return { fromMs: begin, toMs };
    },
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  if (!drawn) process.exitCode = EXIT.failed;
}

if (import.meta.main)
  try {
    const values = parseFlags(process.argv.slice(2), FLAGS);
    if (values['help'])
      process.stdout.write(`${helpOf(TITLE, 'node grafana/src/draw.ts --prometheus URL [options]', FLAGS)}\n`);
    else await main(values);
  } catch (error) {
    reportError(error);
  }
