import { capture } from './processes.ts';

/** How a redis-server is run on this machine. */
export interface RedisProgram {
  source: 'path' | 'packages' | 'docker';
  version: string;
  command: string;
  /** Variables it needs beside ours. */
  env: Record<string, string>;
  /** Command line for one server; the configuration follows on stdin. `port` is where it is reached. */
  args: (run: { port: number; dir: string; name: string }) => string[];
  /** Whether it sees our folders and ports directly (false: it has its own, in a container). */
  native: boolean;
  /** Removes what a killed client leaves behind. */
  remove?: (name: string) => Promise<void>;
}

export interface FindOptions {
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** What `redis-server --version` says, or `undefined` when the program does not run. */
export async function redisVersion(command: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const done = await capture(command, ['--version'], { env }).catch(() => undefined);
  return done?.code === 0 ? done.stdout.match(/v=(\d+(\.\d+)*)/)?.[1] : undefined;
}
