import type { Figure } from '../capacity/figure.ts';
import type { Plan } from '../capacity/plan.ts';
import { workersWords } from '../capacity/words.ts';
import type { Scores } from '../capacity/score.ts';
import type { WhatIf } from '../capacity/what-if.ts';
import type { ReportPlot, ReportTable, ResultFile } from '../contract.ts';
import { digits, formatEnds, formatFigure } from './plan-format.ts';

/** A plan as it is written. */
export type WrittenPlan = Plan & {
  tool: ResultFile['tool'];
  madeAt: string;
  whatIf: readonly WhatIf[];
  scores: Scores | null;
};

const KINDS: Readonly<Record<Figure['origin'], string>> = {
  measured: 'measured',
  fitted: 'fitted',
  simulated: 'simulated',
  assumed: 'assumed',
  given: 'given',
};
/** In one word where a figure comes from, and a mark where it goes beyond what was measured. */
const from = ({ origin, outside }: Figure): string => `${KINDS[origin]}${outside === undefined ? '' : ', outside'}`;
/** Rows of the table; plan.json has them all. */
const SHOWN = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const hours = (ms: number): number => ms / 3_600_000;

/** Every figure of the plan by what it is. */
export function figuresOf(plan: WrittenPlan): [name: string, figure: Figure][] {
  const { growth, tail, law, cost } = plan;
  return [
    ['workers needed', plan.workers],
    ['time with them', plan.tookMs],
    ...(tail === null
      ? []
      : ([
          ['an image, p50', tail.p50Ms],
          ['an image, p95', tail.p95Ms],
          ['an image, p99', tail.p99Ms],
        ] as [string, Figure][])),
    ...(plan.split === null
      ? []
      : ([
          ['services side by side', plan.split.services],
          ['workers of each', plan.split.workersEach],
        ] as [string, Figure][])),
    ['knee of the curve, workers', plan.knee],
    ['highest rate', plan.top.perSecond],
    ['workers with which it is reached', plan.top.workers],
    ...(law === null
      ? []
      : ([
          ['contention α', law.alpha],
          ['coherency β', law.beta],
          ['peak of the law, workers', law.peak],
        ] as [string, Figure][])),
    ['images that wait in PostgreSQL, at most', growth.outboxPeak],
    ['jobs in Redis, at most', growth.redisJobsPeak],
    ['Redis for them', growth.redisBytes],
    ['PostgreSQL grows by', growth.databaseBytes],
    ['storage grows by', growth.storageBytes],
    ['network in, mean', growth.uploadBits],
    ['results, sent once', growth.resultBytes],
    ['events, to one reader', growth.eventBytes],
    ...(cost === null
      ? []
      : ([
          ['cost', cost.total],
          ['cost per 1,000 images', cost.perThousand],
        ] as [string, Figure][])),
  ];
}

export function planTables(plan: WrittenPlan): ReportTable[] {
  const currency = plan.cost?.currency ?? '';
  return [
    {
      title: 'Answer',
      columns: [{ name: '' }, { name: 'value' }, { name: '95 %' }, { name: 'from' }],
      rows: figuresOf(plan).map(([name, one]) => [
        name,
        formatFigure(one, currency),
        formatEnds(one, currency),
        from(one),
      ]),
    },
    {
      title: 'What binds',
      note: `Most images a second that each stage lets through, with ${workersWords(plan.workers.value ?? 1)}; the first binds.`,
      columns: [{ name: 'stage' }, { name: 'images/s' }, { name: 'by the first' }, { name: 'from' }],
      rows: plan.stages.map(({ what, capacity }) => [
        what,
        formatFigure(capacity),
        capacity.value === null
          ? '–'
          : `${digits(capacity.value / (plan.stages[0]?.capacity.value ?? capacity.value))}×`,
        from(capacity),
      ]),
    },
    {
      title: 'Time by workers',
      ...(plan.verdict === 'illustrative' ? { note: 'Illustrative: nothing to buy by.' } : {}),
      columns: [
        { name: 'workers' },
        { name: 'images/s' },
        { name: '95 %' },
        { name: 'time' },
        { name: '95 % of it' },
        { name: 'in time' },
        { name: 'from' },
      ],
      rows: plan.times
        .filter(({ workers }) => SHOWN.includes(workers) || workers === plan.workers.value)
        .map(({ workers, perSecond, tookMs, inTime }) => [
          String(workers),
          formatFigure(perSecond),
          formatEnds(perSecond),
          formatFigure(tookMs),
          formatEnds(tookMs),
          inTime ? 'yes' : 'no',
          from(perSecond),
        ]),
    },
    ...costTable(plan),
    ...whatIfTable(plan),
    ...(plan.scores === null ? [] : [scoreTable(plan.scores)]),
  ];
}

function costTable({ cost }: WrittenPlan): ReportTable[] {
  if (cost === null) return [];
  return [
    {
      title: 'Cost',
      columns: [{ name: 'for' }, { name: 'cost' }],
      rows: cost.parts.map(({ what, cost: part }) => [what, formatFigure(part, cost.currency)]),
    },
  ];
}

function whatIfTable({ whatIf }: WrittenPlan): ReportTable[] {
  if (whatIf.length === 0) return [];
  return [
    {
      title: 'What if',
      note: 'One thing turned at a time. Time: all images there at the start. p99 and mean batch are simulated: images come evenly until the deadline. With a delay an idle worker waits so long for a fuller batch.',
      columns: [
        { name: 'what' },
        { name: 'workers needed' },
        { name: '95 %' },
        { name: 'with workers' },
        { name: 'time' },
        { name: 'p99' },
        { name: 'mean batch' },
        { name: 'outside what was measured' },
      ],
      rows: whatIf.map((one) => [
        `${one.knob} ${one.value}`,
        formatFigure(one.workers),
        formatEnds(one.workers),
        String(one.withWorkers),
        formatFigure(one.tookMs),
        one.p99Ms.value === null ? 'more comes than ends' : formatFigure(one.p99Ms),
        formatFigure(one.meanBatch),
        one.tookMs.outside ?? '',
      ]),
    },
  ];
}

/** What was predicted of runs, beside what they did. */
export function scoreTable({ rows, bias, coverage }: Scores): ReportTable {
  return {
    title: 'Predicted and measured',
    note: `Images a second of runs that the plan does not stand on, with their own workers and images, CPU-normalised: on the CPU that harness and browser left, where no core was idle. All in all ${digits(100 * bias)} % off; ${digits(100 * coverage)} % of them within their interval of 95 %.`,
    columns: [
      { name: 'run' },
      { name: 'workers' },
      { name: 'CPU left' },
      { name: 'predicted' },
      { name: '95 %' },
      { name: 'measured' },
      { name: 'error' },
      { name: 'within' },
      { name: 'outside what was measured' },
    ],
    rows: rows.map(({ file, workers, cpuLeft, predicted, measured, error, inside }) => [
      file,
      String(workers),
      `${digits(cpuLeft)}×`,
      formatFigure(predicted),
      formatEnds(predicted),
      `${digits(measured)} /s`,
      `${digits(100 * error)} %`,
      inside ? 'yes' : 'no',
      predicted.outside ?? '',
    ]),
  };
}

/** Which number was seen, which was fitted, which is only taken for granted. */
export function sourceTable(plan: WrittenPlan): ReportTable {
  const shared = plan.stages.map(({ what, capacity }): [string, Figure] => [what, capacity]);
  return {
    title: 'Where each number comes from',
    columns: [{ name: 'figure' }, { name: 'kind' }, { name: 'source' }, { name: 'outside what was measured' }],
    rows: [...figuresOf(plan), ...shared].map(([name, one]) => [
      name,
      KINDS[one.origin],
      one.source,
      one.outside ?? '',
    ]),
  };
}

export function planPlots(plan: WrittenPlan): ReportPlot[] {
  const line = (pick: (point: Plan['curve'][number]) => number): [number, number][] =>
    plan.curve.map((point) => [point.workers, pick(point)]);
  const workers = { name: 'workers', unit: 'count' } as const;
  const needed = plan.question.images / (plan.question.deadlineMs / 1000);
  const simulated = plan.ground.simulated ? ' (simulated workers)' : '';
  return [
    {
      title: `Images a second by workers${simulated}`,
      note: `The dashed line is what the deadline asks for. ${plan.ground.law}: ${plan.times[0]?.perSecond.source ?? ''}`,
      x: workers,
      y: { name: 'images a second', unit: 'count', limit: needed },
      series: [
        { name: 'expected', points: line(({ perSecond }) => perSecond) },
        { name: 'low end of 95 %', points: line(({ low }) => low) },
        { name: 'high end', points: line(({ high }) => high) },
      ],
    },
    {
      title: 'Hours by workers',
      x: workers,
      y: { name: 'hours', unit: 'count', limit: hours(plan.question.deadlineMs) },
      series: [
        {
          name: 'all images',
          points: plan.times.map(({ workers: count, tookMs }) => [count, hours(tookMs.value ?? 0)]),
        },
      ],
    },
    {
      title: 'Images under way (simulated run)',
      note: `${Math.max(...plan.backlog.map(([, images]) => images)).toLocaleString('en-US')} at most; few images stand for many.`,
      x: { name: 'time', unit: 'ms' },
      y: { name: 'images', unit: 'count' },
      series: [{ name: 'arrived and not ended', points: plan.backlog }],
    },
  ];
}
