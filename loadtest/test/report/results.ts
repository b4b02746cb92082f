import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import type { ReportPlot, ResultFile, RunData } from '../../src/contract.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { measurementsWith, runData } from '../judge/run-data.ts';

/** A text that breaks every format that does not escape. */
export const NASTY = `a<b>&"quoted"'|pipe|\u0007bell\u001b[31m \ud800 \\back\nline ]]> </script>`;

export const MEMORY: ReportPlot = {
  title: 'Memory',
  x: { name: 'time', unit: 'ms' },
  y: { name: 'resident', unit: 'bytes', limit: 400 },
  series: [
    {
      name: 'api',
      points: [
        [0, 100],
        [1000, 200],
      ],
    },
  ],
};

export function resultOf(changes: Partial<RunData> = {}, baseline?: ResultFile): ResultFile {
  return judgeRun({
    run: runData(changes),
    scenario: BULK_1000,
    tool: { name: 'segbench', version: '0.1.0', commit: 'abc1234' },
    baseline: baseline && { file: 'base.json', result: baseline },
  });
}

export const GOOD = resultOf();
export const NAIVE = resultOf({
  client: 'naive',
  measurements: measurementsWith({ ui_settle_ms: 13_456, bulk_calls: 2012, toasts: 1000, db_query_p95_ms: null }),
});

/** Every free text that can reach a report, hostile. */
export function nastyResult(): ResultFile {
  const run = runData();
  run.environment.cpuModel = NASTY;
  run.environment.notes = [NASTY];
  run.images.rejected = [{ name: NASTY, code: 'INVALID_IMAGE', message: NASTY }];
  run.stages = { [NASTY]: { count: 1, p50Ms: 1, p95Ms: 1, p99Ms: 1, maxMs: 1, cpuMsPerImage: null } };
  run.process = { [NASTY]: { rssPeakBytes: 1, cpuSeconds: 1 } };
  run.phases = [{ name: NASTY, startedAt: run.startedAt, durationMs: 5 }];
  run.clientSummary.apiCalls = { [NASTY]: 1 };
  run.measurements.toasts = { actual: null, note: NASTY };
  run.tables = [
    { title: NASTY, note: NASTY, columns: [{ name: NASTY }, { name: 'wait', unit: 'ms' }], rows: [[NASTY, 1.5]] },
  ];
  run.plots = [
    {
      title: NASTY,
      note: NASTY,
      x: { name: NASTY, unit: 'ms' },
      y: { name: NASTY, unit: 'bytes', limit: 10 },
      series: [
        {
          name: NASTY,
          points: [
            [0, 1],
            [5, 9],
          ],
        },
        { name: 'none', points: [] },
      ],
    },
  ];
  run.stopped = { reason: 'error', message: NASTY };
  return resultOf(run);
}

/** A run that ended before anything was measured. */
export function emptyResult(): ResultFile {
  const run = runData({
    measurements: {},
    accuracy: null,
    stages: {},
    process: {},
    phases: [],
    efficiency: { cpuRatio: null, imagesPerSecond: null, rawImagesPerSecond: null, throughputRatio: null },
    stopped: { reason: 'interrupted', message: 'SIGINT' },
  });
  run.delivery = {
    submitted: 0,
    completed: 0,
    failed: 0,
    terminalEventsReceived: 0,
    duplicates: 0,
    missing: 0,
    sequenceGaps: 0,
  };
  return resultOf(run);
}
