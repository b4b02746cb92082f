import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { benchmarksMarkdown } from '../../src/report/benchmarks.ts';
import { figureChapter } from '../../src/report/benchmarks-figures.ts';
import { readMachineCpu } from '../../src/measure/noise.ts';
import { readFigures, takeFigure, type Figure, type KeptFigure } from '../../src/report/kept-figure.ts';
import { GOOD } from './results.ts';

const FIGURE: Figure = {
  table: {
    title: 'A second <child>',
    note: 'three rounds of <b>',
    columns: [{ name: '' }, { name: 'images/s' }, { name: 'memory', unit: 'bytes' }],
    rows: [['one | child', '31.2', 2e6]],
  },
  limits: [
    { text: 'ratio 1.70, at least 1.8', holds: false },
    { text: '2 MB, at most 4', holds: true },
  ],
};
const KEPT: KeptFigure = {
  ...FIGURE,
  schemaVersion: 1,
  command: 'node test/figures/two-workers.mjs 3',
  startedAt: '2026-03-02T09:30:00.000Z',
  finishedAt: '2026-03-02T09:31:30.000Z',
  tool: { name: 'segbench', version: '0.1.0', commit: 'abcdef1234567890' },
  machine: { cpuModel: 'Some CPU', cores: 2, memoryBytes: 8e9, os: 'Linux 6', node: 'v24.0.0' },
  psiCpuSome: 0.123,
  foreignCpuShare: null,
};

describe('figureChapter', () => {
  it('gives each figure its command, day, machine, table and limits, those that did not hold too', () => {
    expect(figureChapter([KEPT]).slice(4)).toEqual([
      '### A second &lt;child>',
      '',
      '`node test/figures/two-workers.mjs 3`: 2026-03-02, 0.1.0 (abcdef123456), 90 s; Some CPU, 2 cores, Node v24.0.0; some task waited for a CPU 12.3 %, CPU taken by others –.',
      '',
      'three rounds of &lt;b>',
      '',
      '|  | images/s | memory |',
      '| --- | ---: | ---: |',
      '| one \\| child | 31.2 | 2 MB |',
      '',
      '- ✗ ratio 1.70, at least 1.8',
      '- ✓ 2 MB, at most 4',
      '',
    ]);
  });

  it('stands in BENCHMARKS.md before the machines, and not at all without figures', () => {
    const headings = (text: string) => text.split('\n').filter((line) => line.startsWith('## '));
    expect(headings(benchmarksMarkdown([GOOD], [], [KEPT])).slice(-2)).toEqual(['## Single parts', '## Machines']);
    expect(headings(benchmarksMarkdown([GOOD]))).not.toContain('## Single parts');
  });
});

describe('takeFigure', () => {
  it('says when and where it was measured, and what was found', async () => {
    const before = Date.now();
    const taken = await takeFigure('node figure.mjs', async () => FIGURE);
    expect(taken).toMatchObject({ ...FIGURE, schemaVersion: 1, command: 'node figure.mjs' });
    expect(Date.parse(taken.startedAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(taken.finishedAt)).toBeGreaterThanOrEqual(Date.parse(taken.startedAt));
    expect(taken.machine).toMatchObject({ node: process.version });
    expect(taken.machine.cores).toBeGreaterThan(0);
    expect(taken.tool).toMatchObject({ name: 'segbench' });
  });

  it.skipIf(process.platform !== 'linux')('does not take its own work for that of others (Linux)', async () => {
    const before = (await readMachineCpu())!;
    const { foreignCpuShare } = await takeFigure('node figure.mjs', () => {
      const from = process.cpuUsage();
      let spent = process.cpuUsage(from);
      while (spent.user + spent.system < 600_000) spent = process.cpuUsage(from);
      return Promise.resolve(FIGURE);
    });
    const after = (await readMachineCpu())!;
    // 0.3 s of the 0.6 s, for the kernel counts both in ticks
    const others = after.busySeconds - before.busySeconds - 0.3;
    expect(foreignCpuShare).toBeLessThan(others / (after.totalSeconds - before.totalSeconds));
  });
});

describe('readFigures', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'segbench-kept-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('reads what is kept by name, and refuses another schema by its path', async () => {
    for (const name of ['b', 'a'])
      await writeFile(join(folder, `${name}.json`), JSON.stringify({ ...KEPT, command: name }));
    await writeFile(join(folder, 'notes.txt'), 'no figure');
    expect((await readFigures(folder)).map(({ command }) => command)).toEqual(['a', 'b']);
    await writeFile(join(folder, 'c.json'), JSON.stringify({ ...KEPT, schemaVersion: 2 }));
    await expect(readFigures(folder)).rejects.toThrow(`${join(folder, 'c.json')} has schemaVersion 2; allowed: 1`);
  });
});
