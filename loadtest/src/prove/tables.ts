import type { ReportPlot, ReportTable } from '../contract.ts';
import { summarise } from '../measure/statistics.ts';
import { capacityOf, inWork, type Capacity } from './capacity.ts';
import { FINDINGS, type Judgement } from './judge.ts';
import type { ProofLedger } from './ledger.ts';
import { stageTimes, type StageTime } from './times.ts';

/** As many images in trouble as a person reads; the raw ledger has them all. */
const MOST_ROWS = 20;

/** Everything that a proof shows beside its budgets. */
export function tablesOf(ledger: ProofLedger, judgement: Judgement): ReportTable[] {
  const stages = stageTimes(ledger);
  return [
    ledgerTable(ledger, judgement),
    ...troubleTable(judgement),
    connectionTable(ledger),
    ...timeTable(stages),
    ...workerTable(ledger, stages),
  ];
}

function ledgerTable({ rows, run, fault }: ProofLedger, { findings, gaps, measurements }: Judgement): ReportTable {
  const images = (kind: string) => findings.filter((one) => one.kind === kind).length;
  const accepted = rows.filter(({ imageId }) => imageId !== null).length;
  const told = rows.filter(({ ends }) => ends.length > 0).length;
  const withResult = rows.filter(({ final }) => final?.result === true).length;
  const words: Record<(typeof FINDINGS)[number], string> = {
    'not accepted': 'sent, and not accepted',
    'not ended': 'accepted, and never ended',
    lost: 'ended, and the client was never told',
    twice: 'ends told more than once, or of images of others',
    late: `told later than ${run.lateMs / 1000} s after the target, asked, had said so`,
    untrue: 'told an end that is not so, or completed without a result',
  };
  const event = fault
    ? `${fault.fault} at ${fault.told} of ${run.images} images told, ${fault.connections} connections met`
    : 'none';
  return {
    title: `The ledger of ${run.target.name}`,
    note: `${run.target.address}, adapter: ${run.target.adapter}. Fault on the way: ${event}. Every figure is what the client saw, and what the target answered when it was asked at the end.`,
    columns: [{ name: 'images' }, { name: 'count', unit: 'count' }],
    rows: [
      ['submitted', rows.length],
      ['accepted', accepted],
      ['end told by an event', told],
      ['with a result, asked at the end', withResult],
      ...FINDINGS.map((kind) => [words[kind], images(kind)]),
      ['breaks in the target’s numbering', measurements.proof_gaps?.notApplicable ? 'it numbers nothing' : gaps.length],
    ],
  };
}

function troubleTable({ findings }: Judgement): ReportTable[] {
  if (findings.length === 0) return [];
  const shown = findings.slice(0, MOST_ROWS);
  const more = findings.length - shown.length;
  return [
    {
      title: 'Images in trouble',
      ...(more > 0 ? { note: `The first ${shown.length} of ${findings.length}; the raw ledger has all.` } : {}),
      columns: [{ name: 'image' }, { name: 'id at the target' }, { name: 'what' }, { name: 'in words' }],
      rows: shown.map(({ name, imageId, kind, words }) => [name || '(not of this run)', imageId ?? '–', kind, words]),
    },
  ];
}

function connectionTable({ events, run, rows }: ProofLedger): ReportTable {
  const began = rows.reduce((first, { upload }) => Math.min(first, upload?.fromMs ?? Infinity), Infinity);
  const byConnection = Map.groupBy(events, ({ connection }) => connection ?? 0);
  const since = (ms: number | undefined) => (ms === undefined || began === Infinity ? null : Math.max(0, ms - began));
  return {
    title: 'Which connection brought what',
    note: 'Times are from the first upload on.',
    columns: [
      { name: 'connection' },
      { name: 'events', unit: 'count' },
      { name: 'ends among them', unit: 'count' },
      { name: 'first', unit: 'ms' },
      { name: 'last', unit: 'ms' },
    ],
    rows: [...byConnection].map(([connection, all]) => [
      connection === 0 ? `not said by ${run.target.adapter}` : String(connection),
      all.length,
      all.filter(({ status }) => status === 'completed' || status === 'failed').length,
      since(all[0]?.atMs),
      since(all.at(-1)?.atMs),
    ]),
  };
}

function timeTable(stages: readonly StageTime[]): ReportTable[] {
  if (stages.length === 0) return [];
  const worst = stages.filter(({ seenBy }) => seenBy === 'harness').toSorted((a, b) => b.share - a.share)[0];
  return [
    {
      title: 'Where the time went',
      note: `${worst ? `${worst.name} cost the most: ${Math.round(worst.share * 100)} % of an image’s time as seen from outside. ` : ''}What the target says is by its own clock and words; its shares are of its own sum.`,
      columns: [
        { name: 'stage' },
        { name: 'said by' },
        { name: 'images', unit: 'count' },
        { name: 'mean', unit: 'ms' },
        { name: 'p50', unit: 'ms' },
        { name: 'p95', unit: 'ms' },
        { name: 'p99', unit: 'ms' },
        { name: 'most', unit: 'ms' },
        { name: 'share', unit: 'ratio' },
      ],
      rows: stages.map(({ name, seenBy, valuesMs, meanMs, share }) => {
        const times = summarise(valuesMs);
        return [
          name,
          seenBy,
          valuesMs.length,
          meanMs,
          times?.p50Ms ?? null,
          times?.p95Ms ?? null,
          times?.p99Ms ?? null,
          times?.maxMs ?? null,
          share,
        ];
      }),
    },
  ];
}

/** Images a second that somebody may want, by name. */
function goalsOf({ rows }: ProofLedger): [string, number][] {
  const uploads = rows.flatMap(({ upload }) => upload ?? []);
  const from = uploads.reduce((first, { fromMs }) => Math.min(first, fromMs), Infinity);
  const to = uploads.reduce((last, { toMs }) => Math.max(last, toMs), -Infinity);
  const offered = to > from ? (uploads.length / (to - from)) * 1000 : null;
  return [
    ...(offered === null ? [] : ([['as fast as these images were uploaded', offered]] as [string, number][])),
    ['1,000 images in a minute', 1000 / 60],
    ['1,000 images in ten minutes', 1000 / 600],
    ['100,000 images in a day', 100_000 / 86_400],
  ];
}

function workerTable(ledger: ProofLedger, stages: readonly StageTime[]): ReportTable[] {
  const capacity = capacityOf(ledger.rows.flatMap(({ ends }) => ends[0]?.atMs ?? []));
  if (capacity === null) return [];
  const { workers } = ledger.run.target;
  const unit = workers ?? 1;
  const of = (perSecond: number, goal: number) => (unit * goal) / perSecond;
  return [
    {
      title: 'How many workers a load needs',
      note: `An estimate. ${capacityWords(capacity)}${littleWords(capacity, stages, workers)} It takes for granted that capacity grows with the number of workers and that the images are as heavy as these.`,
      columns: [
        { name: 'load' },
        { name: 'images a second', unit: 'count' },
        { name: workers ? `workers (${workers} ran)` : 'times what ran', unit: 'count' },
        { name: 'at least', unit: 'count' },
        { name: 'at most', unit: 'count' },
      ],
      rows: goalsOf(ledger).map(([name, goal]) => [
        name,
        goal,
        ...[
          of(capacity.perSecond, goal),
          capacity.high === null ? null : of(capacity.high, goal),
          of(capacity.low, goal),
        ].map((number) => (number !== null && workers ? Math.max(1, Math.ceil(number)) : number)),
      ]),
    },
  ];
}

const oneDecimal = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

function capacityWords({ perSecond, low, high, images }: Capacity): string {
  const upTo = high === null ? 'no upper end' : oneDecimal(high);
  return `Measured: ${oneDecimal(perSecond)} images a second (95 % interval ${oneDecimal(low)} to ${upTo}, ${images} images in ten blocks of the middle of the batch).`;
}

function littleWords({ perSecond }: Capacity, stages: readonly StageTime[], workers: number | undefined): string {
  const work = stages.find(({ name, seenBy }) => name === 'work' && seenBy === 'harness');
  if (!work) return '';
  const beside = workers ? `, with ${workers} workers` : '';
  return ` Little’s law: at ${oneDecimal(work.meanMs)} ms from the beginning of work to its end as told, ${oneDecimal(inWork(perSecond, work.meanMs))} images were in work at a time${beside}.`;
}

/** Images accepted and told of over time. */
export function plotsOf({ rows, run }: ProofLedger): ReportPlot[] {
  const accepted = rows.flatMap(({ imageId, upload }) => (imageId && upload ? upload.toMs : []));
  const told = rows.flatMap(({ ends }) => ends[0]?.atMs ?? []);
  const began = rows.reduce((first, { upload }) => Math.min(first, upload?.fromMs ?? Infinity), Infinity);
  if (accepted.length === 0) return [];
  const steps = (times: number[]): [number, number][] => {
    const sorted = times.toSorted((a, b) => a - b);
    // As many points as a line can show.
    const each = Math.max(1, Math.floor(sorted.length / 400));
    return sorted.flatMap((ms, at) =>
      at % each === 0 || at === sorted.length - 1 ? [[ms - began, at + 1] as [number, number]] : [],
    );
  };
  return [
    {
      title: 'Images over time',
      ...(run.fault === 'none' ? {} : { note: `The line that brings events met the fault "${run.fault}" on the way.` }),
      x: { name: 'since the first upload', unit: 'ms' },
      y: { name: 'images', unit: 'count' },
      series: [
        { name: 'accepted', points: steps(accepted) },
        { name: 'end told', points: steps(told) },
      ],
    },
  ];
}
