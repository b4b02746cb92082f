import { isEnd } from '../targets/target.ts';
import type {
  AskRecord,
  CountRecord,
  EventRecord,
  FaultRecord,
  ImageRecord,
  ProofRecord,
  RunRecord,
  StartRecord,
  UploadRecord,
} from './records.ts';

/** One image, as every place on its way says. */
export interface ProofRow {
  name: string;
  image: ImageRecord;
  upload: UploadRecord | undefined;
  imageId: string | null;
  /** All of it, in the order of arrival. */
  events: EventRecord[];
  /** The events that say that it ended. */
  ends: EventRecord[];
  /** When the target, asked, first said that it had ended; null: never. */
  askedEndedMs: number | null;
  /** The last answer of all. */
  final: AskRecord | undefined;
}

export interface ProofLedger {
  run: RunRecord;
  rows: ProofRow[];
  start: StartRecord | undefined;
  fault: FaultRecord | undefined;
  counts: CountRecord[];
  /** All events in the order of arrival, those of unknown images among them. */
  events: EventRecord[];
  /** Events of images that this run did not upload. */
  strays: EventRecord[];
  stopped: { reason: 'interrupted' | 'error'; message: string } | undefined;
  finishedAt: string;
  /** Why these records are not whole, in words; empty: they are. */
  defects: string[];
}

/**
 * One row an image, put together from the records alone. Pure.
 * @throws RangeError when the first record is not that of a run
 */
export function ledgerOf(records: readonly ProofRecord[]): ProofLedger {
  const [run] = records;
  if (run?.type !== 'run') throw new RangeError('the raw ledger does not begin with the record of its run');
  if (run.version !== 1) throw new RangeError(`the raw ledger has version ${String(run.version)}, expected 1`);
  const defects: string[] = [];
  const rows = new Map<string, ProofRow>();
  const byId = new Map<string, ProofRow>();
  const events: EventRecord[] = [];
  const strays: EventRecord[] = [];
  const counts: CountRecord[] = [];
  let start: StartRecord | undefined;
  let fault: FaultRecord | undefined;

  for (const record of records)
    switch (record.type) {
      case 'image': {
        if (rows.has(record.name)) defects.push(`${record.name} stands there twice`);
        const { name } = record;
        rows.set(name, {
          name,
          image: record,
          upload: undefined,
          imageId: null,
          events: [],
          ends: [],
          askedEndedMs: null,
          final: undefined,
        });
        break;
      }
      case 'upload': {
        const row = rows.get(record.name);
        if (row === undefined || row.upload !== undefined) {
          defects.push(`${record.name} was answered for and is ${row ? 'there already' : 'not there'}`);
          break;
        }
        row.upload = record;
        // Two files under one id: only the first has a row that events can reach.
        if (record.imageId === null || byId.has(record.imageId)) break;
        row.imageId = record.imageId;
        byId.set(record.imageId, row);
        break;
      }
      case 'start':
        start = record;
        break;
      case 'event':
        events.push(record);
        break;
      case 'ask': {
        const row = byId.get(record.imageId);
        if (row === undefined) {
          defects.push(`the state of ${record.imageId} was asked for, which no file has`);
          break;
        }
        if (isEnd(record.status)) row.askedEndedMs ??= record.atMs;
        if (record.final) row.final = record;
        break;
      }
      case 'count':
        counts.push(record);
        break;
      case 'fault':
        fault = record;
        break;
      case 'run':
      case 'end':
        break;
      default:
        defects.push(`a record of the type ${JSON.stringify((record as { type: unknown }).type)} is not known`);
    }
  // An image's first event may be here before the answer to its upload is.
  for (const event of events) {
    const row = byId.get(event.imageId);
    if (row === undefined) {
      strays.push(event);
      continue;
    }
    row.events.push(event);
    if (isEnd(event.status)) row.ends.push(event);
  }
  if (rows.size !== run.images) defects.push(`the run had ${run.images} images, ${rows.size} are there`);
  const end = records.at(-1);
  const isWhole = end?.type === 'end';
  if (isWhole && end.records !== records.length - 1)
    defects.push(`the run left ${end.records} records, ${records.length - 1} are there`);
  const cutOff = { reason: 'error', message: 'the raw ledger has no last line, so that it is not whole' } as const;
  return {
    run,
    rows: [...rows.values()],
    start,
    fault,
    counts,
    events,
    strays,
    stopped: isWhole ? end.stopped : cutOff,
    finishedAt: isWhole ? end.finishedAt : run.startedAt,
    defects,
  };
}
