import type { TargetAbout, TargetEvent, TargetResult, TargetStatus } from '../targets/target.ts';
import type { RunData } from '../contract.ts';

/** What happens to the connection that brings events, while a batch runs. */
export const PROOF_FAULTS = ['cut', 'stall', 'none'] as const;
export type ProofFault = (typeof PROOF_FAULTS)[number];

/** What stands for the path of an adapter where our own service is proved. */
export const BUILT_IN = 'built in';

/** All times are epoch ms by the harness's clock, but for what is called the target's. */
export interface RunRecord {
  type: 'run';
  version: 1;
  tool: string;
  scenario: string;
  target: TargetAbout & { adapter: string };
  startedAt: string;
  /** Images that are to be submitted. */
  images: number;
  seed: number;
  fault: ProofFault;
  /** An event that comes later than so long after the target, asked, had said that the image ended is late. */
  lateMs: number;
}
export interface ImageRecord {
  type: 'image';
  name: string;
  sha256: string;
  sizeBytes: number;
}
/** The target's answer for one file, and the times of the request that carried it. */
export interface UploadRecord {
  type: 'upload';
  name: string;
  imageId: string | null;
  rejected?: string;
  fromMs: number;
  toMs: number;
}
/** The call that asked for the segmentation. */
export interface StartRecord {
  type: 'start';
  images: number;
  fromMs: number;
  toMs: number;
}
/** One event as it reached the harness; records stand in the order of arrival. `at`: the target's clock. */
export interface EventRecord extends TargetEvent {
  type: 'event';
  atMs: number;
}
/** What the target said of an image when it was asked; `final`: after everything had its time. */
export interface AskRecord extends Omit<TargetResult, 'status'> {
  type: 'ask';
  status: TargetStatus;
  atMs: number;
  final: boolean;
}
/** Images that were submitted and whose end had not been told, as the harness counted them now and then. */
export interface CountRecord {
  type: 'count';
  atMs: number;
  open: number;
}
export interface FaultRecord {
  type: 'fault';
  fault: ProofFault;
  atMs: number;
  /** Connections that it met. */
  connections: number;
  /** Images whose end had been told by then. */
  told: number;
}
/** The last line. `records`: how many stand before it. */
export interface EndRecord {
  type: 'end';
  finishedAt: string;
  records: number;
  stopped?: NonNullable<RunData['stopped']>;
}

/** One line of the raw ledger: all that a verdict needs, and nothing that was judged. */
export type ProofRecord =
  | RunRecord
  | ImageRecord
  | UploadRecord
  | StartRecord
  | EventRecord
  | AskRecord
  | CountRecord
  | FaultRecord
  | EndRecord;

/** Records in order of time, each handed on as it comes. */
export function createJournal(onRecord: (record: ProofRecord) => void = () => {}) {
  const records: ProofRecord[] = [];
  const add = (record: ProofRecord): void => {
    records.push(record);
    onRecord(record);
  };
  return {
    records: (): readonly ProofRecord[] => records,
    add,
    end: (stopped?: RunData['stopped']): void =>
      add({
        type: 'end',
        finishedAt: new Date().toISOString(),
        records: records.length,
        ...(stopped ? { stopped } : {}),
      }),
  };
}
export type Journal = ReturnType<typeof createJournal>;
