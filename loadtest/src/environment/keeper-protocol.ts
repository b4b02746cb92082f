import type { Addresses, Death, ServerAction } from './types.ts';

/** `auto`: in containers where that is possible, else embedded. */
export type WantedServers = 'auto' | 'embedded' | 'testcontainers' | 'none';

/** What the supervisor asks the keeper to do. Messages are JSON over the IPC channel. */
export type ToKeeper =
  | { type: 'start'; runId: string; servers: WantedServers; dataDir?: string | undefined }
  | { type: 'watch'; pid: number }
  | { type: 'control'; id: number; what: string; action: ServerAction }
  | { type: 'stop' };

export interface Started extends Partial<Addresses> {
  kind: Exclude<WantedServers, 'auto'>;
  tempDir: string;
  versions: { postgres: string; redis: string };
  servers: { what: string; pid: number }[];
  notes: string[];
}

/** What the keeper reports. `failed` with `expected` is for people (an EnvironmentError's message). */
export type FromKeeper =
  | { type: 'log'; line: string }
  | { type: 'started'; started: Started }
  | { type: 'failed'; message: string; expected: boolean }
  /** A control is done; `problem` says why it could not be. */
  | { type: 'controlled'; id: number; pid: number; problem?: string }
  | { type: 'died'; death: Death };
