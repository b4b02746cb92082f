import type { Config } from '../config.ts';

/** A role that is up. */
export interface RoleHandle {
  /** Where the API listens; absent for the other roles. */
  url?: string;
  metricsUrl: string;
  /** Ends what is in work, then everything the role opened. */
  close(): Promise<void>;
}

const LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type Level = Exclude<(typeof LEVELS)[number], 'silent'>;
export type Log = (level: Level, message: string) => void;

/** One line a message on stderr, for roles without an HTTP framework's logger. */
export function createLog(config: Pick<Config, 'role' | 'logLevel'>): Log {
  const limit = LEVELS.indexOf(config.logLevel);
  return (level, message) => {
    if (LEVELS.indexOf(level) <= limit) process.stderr.write(`${level} ${config.role}: ${message}\n`);
  };
}

export const textOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error);
