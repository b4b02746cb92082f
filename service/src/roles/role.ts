import type { Redis } from 'ioredis';
import type { Config } from '../config.ts';

/** A role that is up. */
export interface RoleHandle {
  /** Where the API listens; absent for the other roles. */
  url?: string;
  metricsUrl: string;
  /** Resolves with the cause once the role cannot do its work any more. */
  lost?: Promise<Error>;
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

/** Says once of each cause that a Redis is away, and that it is back: ioredis says it with every attempt. */
export function sayChanges(redis: Redis, what: string, log: Log): void {
  const said = new Set<string>();
  redis.on('error', (error: Error) => {
    const message = textOf(error);
    log(said.has(message) ? 'info' : 'warn', `${what} does not answer: ${message}`);
    said.add(message);
  });
  redis.on('ready', () => {
    if (said.size > 0) log('warn', `${what} answers again`);
    said.clear();
  });
}
