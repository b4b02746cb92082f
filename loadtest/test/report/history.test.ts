import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResultFile } from '../../src/contract.ts';
import { historySection, readHistory } from '../../src/report/history.ts';
import { htmlReport } from '../../src/report/html.ts';
import { measurementsWith } from '../judge/run-data.ts';
import { resultOf } from './results.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-history-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (day: number, settleMs = 300, changes: Partial<ResultFile> = {}): ResultFile => ({
  ...resultOf({
    startedAt: `2026-01-0${day}T10:00:00.000Z`,
    measurements: measurementsWith({ ui_settle_ms: settleMs }),
  }),
  ...changes,
});
const NOW = run(9, 600);
async function store(name: string, content: unknown): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'result.json'), typeof content === 'string' ? content : JSON.stringify(content));
}
const named = (day: number) => `2026-01-0${day}T10-00-00Z-bulk-1000`;
const read = () => readHistory(NOW, join(folder, named(9)));

describe('the history of a result', () => {
  it('is what lies beside it, oldest first', async () => {
    for (const day of [3, 1, 2]) await store(named(day), run(day, 100 * day));
    await store(named(9), NOW);
    expect((await read()).map(({ startedAt }) => startedAt.slice(0, 10))).toEqual([
      '2026-01-01',
      '2026-01-02',
      '2026-01-03',
    ]);
  });

  it('has no run of other work, of another machine, that was stopped, that came later, and nothing that is no result', async () => {
    const { environment, images } = NOW;
    await store(named(1), run(1, 300, { images: { ...images, sha256OfSet: 'f'.repeat(64) } }));
    await store(named(2), run(2, 300, { environment: { ...environment, cores: environment.cores + 1 } }));
    await store(named(3), run(3, 300, { verdict: 'interrupted' }));
    await store(named(4), run(4, 300, { startedAt: '2026-02-01T10:00:00.000Z' }));
    await store(named(5), '{"schemaVersion":1');
    await store(named(6), { schemaVersion: 1, budgets: 'none', startedAt: '2026', verdict: 'pass' });
    await store(named(7), { schemaVersion: 1, budgets: [], startedAt: '2026', verdict: 'pass' });
    await store('2026-01-08T10-00-00Z-soak', run(8));
    expect(await read()).toEqual([]);
    expect(await readHistory(NOW, '/nowhere/at/all')).toEqual([]);
  });

  it('stands in the report from three runs on, the median beside what is now', async () => {
    const before = [run(1, 100), run(2, 200), run(3, 400)];
    const html = htmlReport(NOW, { before });
    expect(html).toContain('Over the stored results');
    expect(html).toContain(
      '<td><code>ui_settle_ms</code></td><td class="r">600 ms</td><td class="r">200 ms</td><td class="r">100 ms</td><td class="r">400 ms</td>',
    );
    expect(html).not.toContain('NaN');
    expect(html).not.toContain('<details>');
    expect(historySection(NOW, before.slice(1))).toBe('');
  });

  it('has every other number folded away, but none that never differed', () => {
    const { client, efficiency } = NOW;
    const before = [1, 2, 3].map((day) =>
      run(day, 300, {
        client: { ...client, resultBytesWire: 1_000_000 * day },
        efficiency: { ...efficiency, imagesPerSecond: 40 + day },
      }),
    );
    const html = historySection(NOW, before);
    const folded = /<details>[^]*<\/details>/.exec(html)?.[0] ?? '';
    expect(folded).toContain('3 more figures');
    expect(folded).toContain(
      '<td><code>result bytes on the wire per image</code></td><td class="r">4 kB</td><td class="r">2 kB</td><td class="r">1 kB</td><td class="r">3 kB</td>',
    );
    expect(folded).toContain('<td><code>efficiency.imagesPerSecond</code></td><td class="r">45</td>');
    expect(folded).not.toContain('client.toasts');
    expect(folded).toMatch(/\d\d others never differed/);
  });
});
