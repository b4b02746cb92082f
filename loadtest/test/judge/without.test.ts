import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../../service/src/settings.ts';
import { benchmarksMarkdown } from '../../src/report/benchmarks.ts';
import { htmlReport } from '../../src/report/html.ts';
import { markdownSummary } from '../../src/report/markdown.ts';
import { terminalReport } from '../../src/report/terminal.ts';
import { compareWithout } from '../../src/judge/without.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import { SWITCHES } from '../../src/run/switches.ts';
import { measurementsWith, runData } from './run-data.ts';
import { GOOD, resultOf } from '../report/results.ts';

const ON = runData();
const OFF = runData({
  measurements: measurementsWith({ bulk_calls: 2000, api_latency_mean_ms: null }),
  settings: { BULK_RESULTS: 'off' },
});
const compared = compareWithout({ name: 'bulk-results', setting: 'BULK_RESULTS=off' }, { with: ON, without: OFF });
const rowOf = (metric: string) => compared.rows.find((row) => row.metric === metric);
const judged = judgeRun({
  run: ON,
  scenario: BULK_1000,
  tool: { name: 'segbench', version: '0.1.0', commit: 'abc1234' },
  without: [compared],
});

describe('compareWithout', () => {
  it('says which figures moved, and by how much', () => {
    const on = ON.measurements.bulk_calls?.actual ?? 0;
    expect(rowOf('bulk_calls')).toMatchObject({ with: on, without: 2000, ratio: 2000 / on, moved: true });
    expect(rowOf('toasts')).toMatchObject({ ratio: 1, moved: false });
    expect(compared.rows.filter(({ moved }) => moved).map(({ metric }) => metric)).toEqual(['bulk_calls']);
  });

  it('concludes nothing from what one of the runs did not measure', () => {
    expect(rowOf('api_latency_mean_ms')).toMatchObject({ without: null, ratio: null, moved: false });
  });

  it('takes a time for moved from a quarter on, a count from a twentieth on', () => {
    const slower = (factor: number) =>
      compareWithout(
        { name: 'cache', setting: 'CACHE=off' },
        {
          with: runData({ measurements: measurementsWith({ image_list_p95_ms: 40, bulk_calls: 100 }) }),
          without: runData({
            measurements: measurementsWith({ image_list_p95_ms: 40 * factor, bulk_calls: 100 * factor }),
          }),
        },
      ).rows.flatMap(({ metric, moved }) => (moved ? [metric] : []));
    expect(slower(1.04)).toEqual([]);
    expect(slower(1.2)).toEqual(['bulk_calls']);
    expect(slower(0.5).sort()).toEqual(['bulk_calls', 'image_list_p95_ms']);
  });
});

describe('a result with comparisons', () => {
  it('has the verdict of the run with everything on', () => {
    expect(judged.verdict).toBe(GOOD.verdict);
    expect(judged.without).toEqual([compared]);
    expect(resultOf()).not.toHaveProperty('without');
  });

  it('says of a run with something off what was off', () => {
    expect(resultOf({ settings: { CACHE: 'off' } }).notes).toContain('the service ran with CACHE=off');
  });

  it('shows the table in every report for people, and in BENCHMARKS.md', () => {
    const reports = {
      terminal: terminalReport(judged, { colour: false }),
      html: htmlReport(judged),
      markdown: markdownSummary(judged),
      benchmarks: benchmarksMarkdown([judged, GOOD]),
    };
    for (const text of Object.values(reports)) {
      expect(text).toContain('BULK_RESULTS=off');
      expect(text).toContain('2,000');
    }
    expect(reports.benchmarks).toContain('## Switches');
    expect(benchmarksMarkdown([GOOD])).not.toContain('Switches');
  });
});

describe('switches', () => {
  it('are settings of the service that are on by default', () => {
    const defaults = new Map(Object.values(SETTINGS).map(({ name, fallback }): [string, unknown] => [name, fallback]));
    for (const setting of Object.values(SWITCHES)) expect(defaults.get(setting)).toBe(true);
  });
});
