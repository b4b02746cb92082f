import { describe, expect, it } from 'vitest';
import type { ReportTable } from '../../src/contract.ts';
import { htmlReport } from '../../src/report/html.ts';
import { rawLedgerIn } from '../../src/report/raw-ledger.ts';
import { markdownSummary } from '../../src/report/markdown.ts';
import { MEMORY, resultOf } from './results.ts';

const TABLE: ReportTable = {
  title: 'Faults',
  note: 'slowest of three seeds',
  columns: [{ name: 'fault' }, { name: 'recovery', unit: 'ms' }, { name: 'memory', unit: 'bytes' }],
  rows: [
    ['F1', 1234, 2_000_000],
    ['F2', null, 0],
  ],
};

describe('what a scenario adds to reports', () => {
  it('stands in Markdown with the units of its columns', () => {
    const text = markdownSummary(resultOf({ tables: [TABLE] }));
    expect(text).toContain('### Faults');
    expect(text).toContain('| F1 | 1,234 ms | 2 MB |');
    expect(text).toContain('| F2 | – | 0 B |');
  });

  it('stands in HTML as a table and a chart', () => {
    const html = htmlReport(resultOf({ tables: [TABLE], plots: [MEMORY] }));
    expect(html).toContain('<td>F1</td><td class="r">1,234 ms</td>');
    expect(html).toContain('aria-label="Memory: resident over time"');
  });

  it('claims of no page and no client what none of them saw', () => {
    const given = resultOf();
    const budgets = given.budgets.filter(({ name }) => name !== 'ui_settle_ms');
    const text = (terminalEventsReceived: number) =>
      markdownSummary({ ...given, budgets, delivery: { ...given.delivery, terminalEventsReceived } });
    expect(text(0)).toContain('Their events were not followed in this scenario.');
    expect(text(given.delivery.submitted)).toContain('The client was told of each exactly once');
    expect(text(0) + text(1)).not.toContain('The page');
    expect(htmlReport({ ...given, budgets })).not.toContain('terminal events at the page');
    expect(markdownSummary(given)).toContain('The page was told of each exactly once');
  });

  it.each([
    [undefined, '2 toast nodes ever created and'],
    [1, '2 toast nodes ever created for 1 batch and'],
    [2, '2 toast nodes ever created for 2 batches and'],
  ])('says for how many batches there were toasts: %j', (batches, words) => {
    const given = resultOf();
    const apiCalls: Record<string, number> = batches === undefined ? {} : { 'POST /api/projects/:id/batches': batches };
    expect(markdownSummary({ ...given, client: { ...given.client, apiCalls } })).toContain(words);
  });

  it('claims of a run that ended early no delivery that nobody saw whole', () => {
    const given = resultOf({ stopped: { reason: 'interrupted', message: 'SIGINT' } });
    expect(markdownSummary(given)).not.toContain('exactly once');
    expect(markdownSummary(given)).toContain('The run ended early: what the page was still to be told is not known.');
  });

  it('misses no image where a scenario submits none, and does where a run ended before it did', () => {
    const none = resultOf();
    const delivery = { ...none.delivery, submitted: 0, completed: 0, failed: 0 };
    expect(markdownSummary({ ...none, delivery })).toContain('No image goes through the queue in this scenario.');
    const stopped = { reason: 'interrupted', message: 'SIGINT' } as const;
    expect(markdownSummary({ ...none, delivery, stopped })).toContain('No image was submitted');
  });

  it('carries a raw ledger in the page, whole, or names where it stands', () => {
    const bytes = Buffer.from([0x1f, 0x8b, 0, 255, 60, 62, 34]);
    const given = resultOf({ rawLedger: { file: 'raw/proof.ndjson.gz', sha256: 'ab', bytes: bytes.length } });
    const page = htmlReport(given, { rawLedger: bytes });
    expect(rawLedgerIn(page)).toEqual(bytes);
    expect(() => rawLedgerIn(htmlReport(given))).toThrow('the page carries no raw ledger');
    expect(htmlReport(given)).toContain('--rejudge raw/proof.ndjson.gz');
  });
});
