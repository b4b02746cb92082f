/** Where the three servers listen. URLs carry user and password. */
export interface Addresses {
  databaseUrl: string;
  queueRedisUrl: string;
  cacheRedisUrl: string;
}

export const ENVIRONMENT_KINDS = ['auto', 'embedded', 'testcontainers', 'external'] as const;
export type EnvironmentKind = (typeof ENVIRONMENT_KINDS)[number];

export interface EnvironmentOptions {
  kind: EnvironmentKind;
  /** Folder for databases that outlive the run (`npm start`); without it everything lies in the temporary folder. */
  dataDir?: string;
  /** One line of progress: what is being started or unpacked. */
  log: (line: string) => void;
  /** Ends a start that is under way; everything started so far is stopped and removed before the promise rejects. */
  signal?: AbortSignal;
}

/** What ended by itself, and why as far as it can be told (exit code and last log lines). */
export interface Death {
  what: string;
  detail: string;
}

/** `end`: in order, as for a restart; `kill`: SIGKILL; `start`: on the port and the data that it had. */
export type ServerAction = 'end' | 'kill' | 'start';

export interface Environment extends Addresses {
  kind: Exclude<EnvironmentKind, 'auto'>;
  /** Private folder that `stop` (or the watchdog) removes. */
  tempDir: string;
  /** Environment variables for every process of the run: the watchdog finds strays by them. */
  env: Record<string, string>;
  /** The servers that were started here; empty for servers that ran already. */
  servers: { what: string; pid: number }[];
  versions: { postgres: string; redis: string };
  /** What a reader of the results should know: where the servers came from, what was worked around. */
  notes: string[];
  /** Resolves when a server (or the keeper) ends without being asked to; never rejects. */
  died: Promise<Death>;
  /**
   * Ends or starts one of `servers` on purpose, which is no death; resolves when it is done, with its process id. Only where the
   * servers are this run's own.
   */
  control?: (what: string, action: ServerAction) => Promise<number>;
  /** Registers a process group (its leader's pid) that the watchdog ends when this process is gone. */
  watchGroup(pid: number): void;
  /** Stops the servers and removes the temporary folder. May be called more than once. */
  stop(): Promise<void>;
}
