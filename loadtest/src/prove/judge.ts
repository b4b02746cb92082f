import type { Delivery, Measurement, Measurements } from '../contract.ts';
import { isEnd } from '../targets/target.ts';
import type { ProofLedger, ProofRow } from './ledger.ts';
import { sequenceGapsOf } from './sequence.ts';

export const FINDINGS = ['not accepted', 'not ended', 'lost', 'twice', 'late', 'untrue'] as const;
export type FindingKind = (typeof FINDINGS)[number];

/** What is wrong with one image, in words. */
export interface Finding {
  kind: FindingKind;
  name: string;
  imageId: string | null;
  /** How often: second events of one image are more than one when there are three. */
  count: number;
  words: string;
}

export interface Judgement {
  measurements: Measurements;
  delivery: Delivery;
  findings: Finding[];
  gaps: string[];
  failedByCode: Record<string, number>;
}

const EARLY = 'the run ended before every image had its time';
/** `21:05:24.706`, UTC. */
const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 23);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** How long after the target, asked, had said so its event came; null where that cannot be told. */
export function latenessOf({ ends, askedEndedMs }: ProofRow): number | null {
  const [first] = ends;
  return first === undefined || askedEndedMs === null ? null : Math.max(0, first.atMs - askedEndedMs);
}

/** Everything that speaks against one image, each kind once. */
function findingsOf(row: ProofRow, lateMs: number, stopped: boolean): Finding[] {
  const { name, imageId, upload, ends, final } = row;
  const found: Finding[] = [];
  const add = (kind: FindingKind, words: string, count = 1) => void found.push({ kind, name, imageId, count, words });
  if (imageId === null) {
    const why =
      upload === undefined
        ? 'was not answered for'
        : (upload.rejected ?? `got the id ${upload.imageId} of another file`);
    // What had not been sent when a run ended early is nobody's fault.
    if (!stopped || upload !== undefined) add('not accepted', why);
    return found;
  }
  if (ends.length > 1) {
    const each = ends.map(
      ({ status, connection, atMs }) =>
        `${status} at ${clock(atMs)}${connection ? ` by connection ${connection}` : ''}`,
    );
    add('twice', `its end was told ${ends.length} times: ${each.join(', ')}`, ends.length - 1);
  }
  const late = latenessOf(row);
  if (late !== null && late > lateMs)
    add('late', `its end was told ${seconds(late)} after the target, asked, had said that it ended`);
  if (stopped) return found;
  const told = ends.at(-1);
  const status = final?.status ?? 'unknown';
  if (!isEnd(status)) {
    if (told === undefined) add('not ended', `the target, asked at last, says that it is ${status}`);
    else add('untrue', `it was told ${told.status}, and the target, asked at last, says that it is ${status}`);
    return found;
  }
  if (told === undefined) add('lost', `it is ${status}, and the client was never told`);
  else if (told.status !== status)
    add('untrue', `it was told ${told.status}, and the target says that it is ${status}`);
  else if (status === 'completed' && !final?.result) add('untrue', 'it was told completed, and there is no result');
  if (told === undefined && status === 'completed' && !final?.result)
    add('untrue', 'it is completed, and there is no result');
  return found;
}

/**
 * The verdict's counts, from the ledger alone: the run and whoever judges its raw data again come by here. Pure.
 * What a run that ended early could not see is not measured; what it saw is.
 */
export function judgeProof(ledger: ProofLedger): Judgement {
  const { rows, run, events, strays, stopped, fault, defects } = ledger;
  const early = stopped !== undefined;
  const findings = rows.flatMap((row) => findingsOf(row, run.lateMs, early));
  const strayEnds = strays.filter(({ status }) => isEnd(status));
  for (const { imageId, status } of strayEnds)
    findings.push({
      kind: 'twice',
      name: '',
      imageId,
      count: 1,
      words: `${status} was told of an image that this run did not upload`,
    });
  const { gaps, numbered } = sequenceGapsOf(events);
  const counted = (kind: FindingKind) =>
    findings.filter((one) => one.kind === kind).reduce((sum, { count }) => sum + count, 0);
  const idle = whyIdle(ledger);
  const broken = defects.length > 0 ? `the raw ledger is not whole: ${defects[0]}` : undefined;

  const measure = (kind: FindingKind, given: { early?: boolean; faulted?: boolean } = {}): Measurement => {
    const first = findings.find((one) => one.kind === kind);
    const weakened = broken ?? (given.faulted ? idle : undefined);
    if (early && given.early) return { actual: null, note: EARLY };
    return {
      actual: counted(kind),
      ...(first ? { note: `${first.name || first.imageId}: ${first.words}` } : {}),
      ...(weakened ? { weakened } : {}),
    };
  };
  const measurements: Measurements = {
    proof_not_accepted: measure('not accepted', { early: true }),
    proof_not_ended: measure('not ended', { early: true }),
    proof_lost: measure('lost', { early: true, faulted: true }),
    proof_twice: measure('twice', { faulted: true }),
    proof_late: measure('late', { faulted: true }),
    proof_untrue: measure('untrue', { early: true }),
    proof_gaps: numbered
      ? {
          actual: gaps.length,
          ...(gaps[0] ? { note: gaps[0] } : {}),
          ...((broken ?? idle) ? { weakened: broken ?? idle ?? '' } : {}),
        }
      : { actual: null, notApplicable: 'the target does not number its events' },
  };
  // Nobody was asked at the end of a run that had none.
  const ended = (status: string) =>
    rows.filter(({ final, ends }) => (early ? ends.at(-1)?.status : final?.status) === status);
  const failed = ended('failed');
  const codes = failed.map(({ ends }) => ends.at(-1)?.code ?? 'UNKNOWN');
  return {
    measurements,
    findings,
    gaps,
    failedByCode: Object.fromEntries([...Map.groupBy(codes, (code) => code)].map(([code, all]) => [code, all.length])),
    delivery: {
      submitted: rows.length,
      completed: ended('completed').length,
      failed: failed.length,
      terminalEventsReceived: rows.reduce((sum, { ends }) => sum + ends.length, 0) + strayEnds.length,
      duplicates: counted('twice'),
      missing: early ? 0 : counted('lost') + counted('not ended') + counted('untrue') + counted('not accepted'),
      sequenceGaps: gaps.length,
    },
  };

  /** Why the fault of this run was none, so that holding out against it proves nothing. */
  function whyIdle({ run: { fault: wanted } }: ProofLedger): string | undefined {
    if (wanted === 'none') return undefined;
    if (fault === undefined) return `the fault "${wanted}" never came: too few images were told of`;
    if (fault.connections === 0)
      return `the fault "${wanted}" met no connection: events must come by way of config.through()`;
    return undefined;
  }
}
