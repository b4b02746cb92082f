import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ResultFile } from '../../../loadtest/src/contract.ts';
import { projectRoot } from '../../../loadtest/src/environment/paths.ts';

const page = (name: string) => readFile(join(projectRoot, name), 'utf8');
const kept = async (name: string) => JSON.parse(await page(`bench-results/reference/${name}.json`)) as ResultFile;
const cellsOf = (row: string) =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const rowsOf = (text: string, first: RegExp) =>
  [...text.matchAll(/^\|.*\|$/gm)].map(([row]) => cellsOf(row)).filter(([cell]) => first.test(cell!));

it('has the proof of the gate in verdicts.md as it is kept', async () => {
  const planted = /^(nothing|\+\d+ % .+|one extra query per image|a dropped batch window|a leaked listener)$/;
  const played = (text: string) =>
    rowsOf(text, planted).filter((row) => row.length === 6 && row.slice(1).every((cell) => /^[\d.]+$/.test(cell)));
  const told = played(await page('docs/verdicts.md'))
    .map(String)
    .toSorted();
  expect(told).toHaveLength(21);
  expect(told).toEqual(
    played(await page('BENCHMARKS.md'))
      .map(String)
      .toSorted(),
  );
});

it('has the longest stalls in reliability.md as the three kept runs have them', async () => {
  const results = await Promise.all([1, 2, 3].map((seed) => kept(`faults-seed-${seed}`)));
  const longest = new Map<string, number>();
  for (const { columns, rows } of results.flatMap(({ tables = [] }) => tables)) {
    const stall = columns.findIndex(({ name }) => name === 'longest stall');
    if (stall < 0) continue;
    for (const row of rows) {
      const key = `${String(row[0])} ${Math.round(Number.parseFloat(String(row[1])))}`;
      longest.set(key, Math.max(longest.get(key) ?? 0, Number(row[stall] ?? 0)));
    }
  }
  const told = rowsOf(await page('docs/reliability.md'), /^[FN]\d+$/);
  expect(told.length).toBeGreaterThan(25);
  for (const [fault, ...cells] of told) {
    const at = fault!.startsWith('F') ? [0, 50, 99] : [50];
    const seconds = at.map((share) => `${(longest.get(`${fault} ${share}`)! / 1000).toFixed(1)} s`);
    expect([fault, cells.at(-1)]).toEqual([fault, seconds.join(', ')]);
  }
});

it('has the storm in gallery.md as it is kept', async () => {
  const { budgets } = await kept('page-storm');
  const [p95, longest, settle] = ['frame_p95', 'longest_frame', 'settle'].map(
    (name) => budgets.find((budget) => budget.name === `storm_page_${name}_ms`)?.actual ?? Number.NaN,
  );
  const words = `frames stay at ${p95!.toFixed(1)} ms (p95; longest ${longest!.toFixed(1)} ms), and ${settle!.toFixed(0)} ms after the last one`;
  expect(await page('docs/gallery.md')).toContain(words);
});
