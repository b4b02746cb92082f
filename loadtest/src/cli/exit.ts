import { TooLittleError } from '../capacity/ground.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { EXIT_CODES } from '../judge/verdict.ts';
import { UsageError } from './usage-error.ts';

// Who read our output may be gone first, as `head` is: that is no error of ours, and must not keep a command from tidying up.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** Exit codes of all commands, by what happened (README, "What a verdict looks like"). */
export const EXIT = {
  pass: EXIT_CODES.pass,
  failed: EXIT_CODES.fail,
  usage: EXIT_CODES.usage,
  environment: EXIT_CODES.error,
  regression: EXIT_CODES.regression,
  inconclusive: EXIT_CODES.inconclusive,
  interrupted: EXIT_CODES.interrupted,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * What an error means for the command: usage and environment errors, too little to go by, and a full disk, are for people and told in one message;
 * anything else is a mistake of ours and told with its stack; 1 is kept for what was measured and found too much.
 */
export function exitOf(error: unknown): { code: ExitCode; message: string } {
  if (error instanceof UsageError) return { code: EXIT.usage, message: error.message };
  if (error instanceof TooLittleError) return { code: EXIT.inconclusive, message: error.message };
  if (error instanceof EnvironmentError) return { code: EXIT.environment, message: error.message };
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    return { code: EXIT.environment, message: `a disk is full, not all files could be written: ${error.message}` };
  return { code: EXIT.environment, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** Prints the error to stderr and sets the exit code. */
export function reportError(error: unknown): void {
  const { code, message } = exitOf(error);
  process.stderr.write(`${message}\n`);
  process.exitCode = code;
}
