import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseBenchOptions } from '../../src/cli/options.ts';
import { descendants } from '../../src/measure/proc.ts';
import { createRunFolder } from '../../src/run/folder.ts';
import { createProgress } from '../../src/run/progress.ts';
import type { RunInput } from '../../src/run/run-input.ts';
import { createStop } from '../../src/run/stop.ts';

/** What a scenario's runner gets, as the command line would give it; `settings` go to the service. */
export async function withInput<T>(
  args: readonly string[],
  settings: Record<string, string>,
  work: (input: RunInput) => Promise<T>,
): Promise<T> {
  const out = await mkdtemp(join(tmpdir(), 'segbench-load-'));
  const command = parseBenchOptions([...args, '--out', out]);
  if (command.kind !== 'run') throw new Error('the arguments run nothing');
  const { options } = command;
  const folder = await createRunFolder(out, options.scenario.name, new Date());
  const progress = createProgress({ write: () => true });
  try {
    return await work({ options, folder, progress, stop: createStop(), settings: { NODE_ENV: 'test', ...settings } });
  } finally {
    progress.close();
    await folder.close();
    await rm(out, { recursive: true, force: true });
  }
}

/** Waits for a process below this one whose command line is like that. @returns its pid */
export async function childLike(command: RegExp): Promise<number> {
  const lineOf = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  for (;;) {
    const found = descendants(process.pid).find((pid) => command.test(lineOf(pid)));
    if (found !== undefined) return found;
    await sleep(20);
  }
}
