import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResultFile } from '../../src/contract.ts';
import { parsePrometheus } from '../../src/measure/prometheus.ts';
import { benchmarksMarkdown } from '../../src/report/benchmarks.ts';
import { budgetUse, formatActual, formatValue } from '../../src/report/format.ts';
import { htmlReport } from '../../src/report/html.ts';
import { junitReport } from '../../src/report/junit.ts';
import { markdownSummary } from '../../src/report/markdown.ts';
import { prometheusReport } from '../../src/report/prometheus.ts';
import { terminalReport } from '../../src/report/terminal.ts';
import { GOOD, NAIVE, NASTY, emptyResult, nastyResult, resultOf } from './results.ts';
import { measurementsWith, runData } from '../judge/run-data.ts';
import { wellFormed } from './well-formed.ts';

const ALL = { good: GOOD, naive: NAIVE, nasty: nastyResult(), empty: emptyResult(), compared: resultOf({}, GOOD) };
const each = Object.entries(ALL);

describe('formatActual', () => {
  it('never makes a value that differs from its limit read like it', () => {
    const units = fc.constantFrom('ms', 'bytes', 'count', 'ratio', 'per-minute');
    fc.assert(
      fc.property(
        units,
        fc.double({ min: 0.001, max: 1e10, noNaN: true }),
        fc.double({ min: 1e-9, max: 1e-3, noNaN: true }),
        (unit, limit, share) => {
          const actual = limit * (1 + share);
          expect(formatActual({ actual, limit, unit })).not.toBe(formatValue(limit, unit));
        },
      ),
    );
  });

  it.each([
    [{ actual: 512_000_001, limit: 512e6, unit: 'bytes' }, '512.000001 MB'],
    [{ actual: 0.8999, limit: 0.9, unit: 'ratio' }, '89.99 %'],
    [{ actual: 1999.9, limit: 2000, unit: 'ms' }, '1,999.9 ms'],
    [{ actual: null, limit: 1, unit: 'count' }, '–'],
    [{ actual: 2734.56, limit: 10, unit: 'per-minute' }, '2,735 /min'],
  ] as const)('writes %j as %s', (budget, text) => {
    expect(formatActual(budget)).toBe(text);
  });
});

describe('budgetUse', () => {
  it('is above 1 exactly when the limit is crossed, whichever way it points', () => {
    const operators = fc.constantFrom('<', '<=', '>=');
    fc.assert(
      fc.property(
        operators,
        fc.double({ min: 0.01, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (operator, limit, actual) => {
          const use = budgetUse({ operator, limit, actual }) ?? 0;
          const crossed = operator.startsWith('<') ? actual > limit : actual < limit;
          expect(crossed ? use >= 1 : use <= 1).toBe(true);
        },
      ),
    );
  });
});

describe('terminalReport', () => {
  it.each(each)('shows every budget with its verdict (%s)', (_, result) => {
    const lines = terminalReport(result, { colour: false }).split('\n');
    for (const { name, verdict } of result.budgets) {
      expect(lines.some((line) => line.trimStart().startsWith(`${name} `) && line.includes(` ${verdict}`))).toBe(true);
    }
    expect(lines.at(-2)).toContain(result.verdict.toUpperCase());
  });

  it('colours only when asked to', () => {
    expect(terminalReport(NAIVE, { colour: false })).not.toContain('\u001b');
    expect(terminalReport(NAIVE, { colour: true })).toContain('\u001b[31m✗ fail\u001b[0m');
  });

  it('lets no control sequence of a file name through', () => {
    const text = terminalReport(nastyResult(), { colour: false });
    for (const control of ['\u001b', '\u0007']) expect(text).not.toContain(control);
  });
});

describe('markdownSummary', () => {
  it.each(each)('has the same number of cells in every row (%s)', (_, result) => {
    const tables = markdownSummary(result)
      .trimEnd()
      .split('\n\n')
      .filter((part) => part.startsWith('|'));
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const widths = table.split('\n').map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  it('names rejected files with their codes, the first fifty of many', () => {
    const run = runData();
    run.images.rejected = Array.from({ length: 60 }, (_, n) => ({
      name: `${n}.png`,
      code: 'EMPTY_FILE',
      message: 'no bytes',
    }));
    const text = markdownSummary(resultOf(run));
    expect(text).toContain('- rejected 49.png: EMPTY_FILE, no bytes\n- and 10 more rejected files');
  });
});

describe('junitReport', () => {
  it.each(each)('is well-formed XML with one case a budget and one for the verdict (%s)', (_, result) => {
    const elements = wellFormed(junitReport(result));
    expect(elements.filter((name) => name === 'testcase')).toHaveLength(result.budgets.length + 1);
  });

  it('makes failures of failed budgets, and skips those that were not judged or do not apply', () => {
    const report = junitReport(resultOf({ ...NAIVE_CHANGES }));
    expect(report).toMatch(/<testsuites name="segbench" tests="20" failures="2" errors="0" skipped="6"/);
    expect(report).toMatch(/name="toasts"><failure message="1,000, limit = 1"/);
    expect(report).toMatch(/name="db_query_p95_ms"><skipped message="not run/);
    expect(report).toMatch(/name="ui_settle_ms"><skipped/);
    expect(report).toMatch(/name="verdict"><failure/);
  });

  it('skips an inconclusive verdict and its budgets with the reason, and calls a run that ended early an error', () => {
    const measurements = measurementsWith();
    measurements.api_latency_mean_ms = { actual: 5, unjudgeable: 'the generator was 60 ms late' };
    const unsure = junitReport(resultOf({ measurements }));
    expect(unsure).toMatch(/failures="0" errors="0" skipped="2"/);
    expect(unsure).toMatch(
      /name="api_latency_mean_ms"><skipped message="inconclusive: [^"]*the generator was 60 ms late/,
    );
    expect(unsure).toMatch(/name="verdict"><skipped message="/);
    for (const reason of ['error', 'interrupted'] as const) {
      const ended = junitReport(resultOf({ stopped: { reason, message: 'PostgreSQL died' } }));
      expect(ended).toMatch(/name="verdict"><error message=".+">[^<]*PostgreSQL died/);
    }
  });
});

const NAIVE_CHANGES = {
  images: { ...resultOf().images, count: 100 },
  measurements: Object.fromEntries(
    resultOf().budgets.map(({ name, actual }) => [
      name,
      { actual: name === 'toasts' ? 1000 : name === 'db_query_p95_ms' ? null : actual },
    ]),
  ),
};

describe('prometheusReport', () => {
  it.each(each)('is valid exposition text with a help and a type for each metric (%s)', (_, result) => {
    const text = prometheusReport(result);
    const names = new Set(parsePrometheus(text).map((sample) => sample.name));
    for (const name of names) expect(text).toMatch(new RegExp(`# HELP ${name} .+\n# TYPE ${name} gauge\n${name}\\{`));
    expect(text.endsWith('\n')).toBe(true);
  });

  it('leaves out what was not measured or judged', () => {
    const samples = parsePrometheus(prometheusReport(NAIVE));
    const of = (name: string, budget: string): number | undefined =>
      samples.find((s) => s.name === `segbench_bench_budget_${name}` && s.labels['budget'] === budget)?.value;
    expect([of('actual', 'toasts'), of('limit', 'toasts'), of('ok', 'toasts')]).toEqual([1000, 1, 0]);
    expect([of('actual', 'db_query_p95_ms'), of('limit', 'db_query_p95_ms'), of('ok', 'db_query_p95_ms')]).toEqual([
      undefined,
      50,
      undefined,
    ]);
    expect(of('ok', 'delivery_missing')).toBe(1);
    const verdict = samples.filter((s) => s.name === 'segbench_bench_verdict' && s.value === 1);
    expect(verdict.map((s) => s.labels['verdict'])).toEqual(['fail']);
  });
});

describe('htmlReport', () => {
  it.each(each)('is one well-formed document that loads nothing (%s)', (_, result) => {
    const html = htmlReport(result);
    wellFormed(
      html
        .replace('<!doctype html>', '')
        .replaceAll(/<meta ([^>]*)>/g, '<meta $1/>')
        .replaceAll(/<style>[^]*?<\/style>/g, ''),
    );
    expect(html).not.toMatch(/<script|<link|<img|<iframe|url\(|@import|https?:/i);
    expect(html.indexOf('class="banner')).toBeLessThan(html.indexOf('<h2>'));
    for (const { name } of result.budgets) expect(html).toContain(`<code>${name}</code>`);
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('has the ledger of a run with a page as a table, a dash where nobody looked', () => {
    const delivery = { ...GOOD.delivery, completed: 990, failed: 10, stored: 1000, shown: 998, late: 3 };
    const cells = ['1,000', '1,000', '1,000', '1,000', '998', '0', '0', '3'];
    const row = `<tr>${cells.map((cell) => `<td class="r">${cell}</td>`).join('')}</tr>`;
    expect(htmlReport({ ...GOOD, delivery })).toContain(row);
    expect(markdownSummary({ ...GOOD, delivery })).toContain(`| ${cells.join(' | ')} |`);
    expect(markdownSummary(GOOD)).toContain('| 1,000 | – | 1,000 | 1,000 | – | 0 | 0 | – |');
    expect(htmlReport({ ...GOOD, environment: { ...GOOD.environment, browser: 'none' } })).not.toContain('>twice</th>');
  });

  it('ends with what to do, as summary and terminal do', () => {
    const html = htmlReport(NAIVE);
    expect(html.lastIndexOf('<h2>')).toBe(html.indexOf('<h2>What to do</h2>'));
    const summary = markdownSummary(NAIVE);
    expect(summary.lastIndexOf('### ')).toBe(summary.indexOf('### What to do'));
    expect(summary.indexOf('### What to do')).toBeGreaterThan(summary.indexOf('PostgreSQL 18.4'));
    const lines = terminalReport(NAIVE, { colour: false }).split('\n');
    expect(lines.findIndex((line) => line.includes('What to do:'))).toBeGreaterThan(25);
    expect(lines.join('\n')).toMatch(/1\. run it again[^]*bulk_calls: ask for results of many images at once/);
  });

  it('shows how much of a budget is used, and what is left', () => {
    const html = htmlReport(resultOf({ measurements: measurementsWith({ bulk_calls: 25, image_list_p95_ms: 95 }) }));
    expect(html).toContain('value="0.950" aria-label="95 % used, 5 ms left">');
    expect(html).toContain('value="1.250" aria-label="2.50× the limit, 15 beyond">');
  });

  it('says each verdict by mark and word, not by colour alone', () => {
    expect(htmlReport(NAIVE)).toContain('<span class="badge">✗ fail</span>');
    expect(htmlReport(GOOD)).toContain('All 19 budgets held.');
  });
});

describe('benchmarksMarkdown', () => {
  it('sets results side by side, each budget with its limit', () => {
    const text = benchmarksMarkdown([GOOD, NAIVE, GOOD]);
    expect(text).toContain(' | optimized, 1,000 synthetic | naive, 1,000 synthetic | optimized, 1,000 synthetic (2) |');
    expect(text).toContain('| 1 ✓ | 1,000 ✗ | 1 ✓ |');
    expect(text).toContain('| 12.5 ms ✓ | – ○ not-run | 12.5 ms ✓ |');
    expect(text.match(/^- Test CPU/gm)).toHaveLength(1);
  });

  it('has a chapter for each scenario, with its own tables, the long ones folded, and only its own budgets', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, index) => [`F${index}`, index]);
    const columns = [{ name: 'fault' }, { name: 'stall', unit: 'ms' as const }];
    const budgets = [{ ...GOOD.budgets[0]!, name: 'fault_images_lost' as const }];
    const faults: ResultFile = {
      ...GOOD,
      scenario: 'faults',
      seed: 7,
      budgets,
      tables: [
        { title: 'All', columns, rows: rows(30) },
        { title: 'Worst', columns, rows: rows(3) },
      ],
    };
    const text = benchmarksMarkdown([GOOD, faults, NAIVE]);
    const [, bulk, broken] = text.split(/^## /m);
    expect(bulk).toMatch(/^bulk-1000\n[^]*naive, 1,000 synthetic/);
    expect(bulk).not.toContain('fault_images_lost');
    expect(broken).toMatch(/^faults\n[^]*1,000 images, seed 7/);
    expect(broken).not.toContain('ui_settle_ms');
    expect(broken).toContain('<details><summary>All: 1,000 images, seed 7 (30 rows)</summary>');
    expect(broken).toContain('### Worst: 1,000 images, seed 7');
    expect(broken).not.toContain('terminal events at the page');
  });

  it('has the median and the range of budgets over runs of one kind, and says where there is one run', () => {
    const settled = (actual: number): ResultFile => ({
      ...GOOD,
      budgets: GOOD.budgets.map((budget) => (budget.name === 'ui_settle_ms' ? { ...budget, actual } : budget)),
    });
    const text = benchmarksMarkdown([settled(300), NAIVE, settled(100), settled(200)]);
    expect(text).toContain('| budget | limit | optimized, 1,000 synthetic: median and range of 3 runs | optimized');
    expect(text).toContain('| `ui_settle_ms` | < 2,000 ms | 200 ms (100 ms to 300 ms) | 300 ms ✓ |');
    expect(text).toContain('| `toasts` | = 1 | 1 (always) |');
    expect(text).toContain('| kept runs of this kind | 1 of 3 | one run | 2 of 3 | 3 of 3 |');
    const other = { ...GOOD, environment: { ...GOOD.environment, cores: 64 } };
    expect(benchmarksMarkdown([GOOD, other])).not.toContain('median and range');
  });

  it('is the same text for the same results, and refuses none', () => {
    expect(benchmarksMarkdown([GOOD])).toBe(benchmarksMarkdown([structuredClone(GOOD)]));
    expect(() => benchmarksMarkdown([])).toThrow(RangeError);
    expect(benchmarksMarkdown([nastyResult(), emptyResult()])).not.toContain(NASTY);
  });
});
