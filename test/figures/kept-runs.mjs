import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePrometheus } from '../../loadtest/src/measure/prometheus.ts';
import { prometheusReport } from '../../loadtest/src/report/prometheus.ts';

const FOLDER = join(import.meta.dirname, '../../bench-results/reference');
/** Prometheus takes a value for gone after 5 minutes. */
const EVERY_S = 120;
const AFTER_S = 2400;

/** The kept result files of the bench, by when they ended. */
export async function readKept() {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'));
  const results = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(FOLDER, name), 'utf8'))));
  return results.toSorted((a, b) => Date.parse(a.finishedAt) - Date.parse(b.finishedAt));
}

/**
 * What a Prometheus would have kept that scraped `metrics.prom` of the last run of each scenario and client: each run from its end
 * until the next one's. OpenMetrics with times, in seconds since 1970.
 * @returns {{ text: string, fromMs: number, toMs: number }}
 */
export function historyOf(results) {
  const ends = results.map(({ finishedAt }) => Math.ceil(Date.parse(finishedAt) / 1000));
  const until = Math.max(...ends) + AFTER_S;
  const series = new Map();
  for (const [index, result] of results.entries()) {
    const same = ({ scenario, clientMode }) => scenario === result.scenario && clientMode === result.clientMode;
    const next = results.findIndex((other, at) => at > index && same(other));
    const end = next === -1 ? until : ends[next];
    for (const { name, labels, value } of parsePrometheus(prometheusReport(result))) {
      if (!/^segbench_bench_(budget_|finished)/.test(name)) continue;
      const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      const key = `${name}{${pairs.join(',')}}`;
      const lines = series.get(name)?.get(key) ?? [];
      for (let at = ends[index]; at < end; at += EVERY_S) lines.push(`${key} ${value} ${at}`);
      if (!series.has(name)) series.set(name, new Map());
      series.get(name).set(key, lines);
    }
  }
  const families = [...series].map(
    ([name, all]) => `# TYPE ${name} gauge\n${[...all.values()].map((lines) => lines.join('\n')).join('\n')}\n`,
  );
  return { text: `${families.join('')}# EOF\n`, fromMs: (ends[0] - EVERY_S) * 1000, toMs: until * 1000 };
}
