import type { RunData, StageSummary } from '../contract.ts';
import { histogramOf } from '../measure/log-histogram.ts';
import { mean, summarise } from '../measure/statistics.ts';
import type { ProofLedger, ProofRow } from './ledger.ts';

/** One part of an image's way. `of`: what its share is a share of. */
export interface StageTime {
  name: string;
  seenBy: 'harness' | 'target';
  valuesMs: number[];
  meanMs: number;
  share: number;
}

const present = (values: (number | null | undefined)[]): number[] =>
  values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));

const workBeganMs = ({ events }: ProofRow): number | undefined =>
  events.find(({ status }) => status === 'processing')?.atMs;

/**
 * Where the time of an image goes. Seen from outside: the upload's request, then from the start of the batch to its end as told,
 * in two parts where the target tells that work began. By the target's own words, where it has some: its stages, and the way
 * of the event (its clock against ours). Shares are of all that the same place saw.
 */
export function stageTimes(ledger: ProofLedger): StageTime[] {
  const { rows } = ledger;
  const startMs = ledger.start?.fromMs;
  const ended = rows.filter(({ ends }) => ends.length > 0);
  const upload = present(rows.map(({ upload: sent }) => sent && sent.toMs - sent.fromMs));
  const split = ended.filter((row) => workBeganMs(row) !== undefined);
  const endMs = ({ ends }: ProofRow) => ends[0]?.atMs ?? NaN;
  // Whoever tells of some beginnings only: what is merged away was short.
  const isSplit = split.length > ended.length / 2;
  const outside: [string, number[]][] = [
    ['upload', upload],
    ...(startMs === undefined
      ? []
      : isSplit
        ? ([
            ['wait', split.map((row) => (workBeganMs(row) ?? NaN) - startMs)],
            ['work', split.map((row) => endMs(row) - (workBeganMs(row) ?? NaN))],
          ] as [string, number[]][])
        : ([['wait and work', ended.map((row) => endMs(row) - startMs)]] as [string, number[]][])),
  ];
  const names = [...new Set(rows.flatMap(({ final }) => Object.keys(final?.stages ?? {})))];
  const inside = names.map((name): [string, number[]] => [
    name,
    present(rows.map(({ final }) => final?.stages?.[name])),
  ]);
  const delivery = present(
    ended.map(({ ends, final }) => {
      const at = ends[0]?.at ?? final?.endedAt;
      return at === undefined ? null : Math.max(0, (ends[0]?.atMs ?? NaN) - at);
    }),
  );
  if (delivery.length > 0) inside.push(['delivery of the event', delivery]);
  return [...shared(outside, 'harness'), ...shared(inside, 'target')];
}

function shared(stages: readonly [string, number[]][], seenBy: StageTime['seenBy']): StageTime[] {
  const some = stages.filter(([, values]) => values.length > 0);
  const total = some.reduce((sum, [, values]) => sum + mean(values), 0);
  return some.map(([name, valuesMs]) => {
    const meanMs = mean(valuesMs);
    return { name, seenBy, valuesMs, meanMs, share: total > 0 ? meanMs / total : 0 };
  });
}

/** For `stages` of the result file. */
export function summariesOf(stages: readonly StageTime[]): Record<string, StageSummary> {
  return Object.fromEntries(
    stages.flatMap(({ name, seenBy, valuesMs }) => {
      const summary = summarise(valuesMs);
      return summary
        ? [
            [
              seenBy === 'target' ? `its ${name}` : name,
              { ...summary, cpuMsPerImage: null, histogram: histogramOf(valuesMs) },
            ],
          ]
        : [];
    }),
  );
}

/** The parts of the run that left records, from the first of each to the last. */
export function phasesOf({ rows, start }: ProofLedger): RunData['phases'] {
  const uploads = rows.flatMap(({ upload }) => (upload ? [upload.fromMs, upload.toMs] : []));
  const batch = start ? [start.fromMs, start.toMs, ...rows.flatMap(({ ends: [first] }) => first?.atMs ?? [])] : [];
  const parts: [string, number[]][] = [
    ['upload', uploads],
    ['batch', batch],
    ['ask', rows.flatMap(({ final }) => final?.atMs ?? [])],
  ];
  return parts.flatMap(([name, times]) => {
    if (times.length === 0) return [];
    const from = times.reduce((least, ms) => Math.min(least, ms), Infinity);
    const to = times.reduce((most, ms) => Math.max(most, ms), -Infinity);
    return [{ name, startedAt: new Date(from).toISOString(), durationMs: to - from }];
  });
}
