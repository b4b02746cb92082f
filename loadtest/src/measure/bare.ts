import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BareFigures } from '../../../service/src/inference/bare.ts';
import { projectRoot } from '../environment/paths.ts';

const PROGRAM = join(projectRoot, 'service/src/inference/bare-main.ts');

/** Every so many-th file, `most` at the most: the same mix of sizes in a share of the time. */
export function evenSample<T>(files: readonly T[], most: number): T[] {
  const taken = Math.min(most, files.length);
  return Array.from({ length: taken }, (_, index) => files[Math.floor((index * files.length) / taken)] as T);
}

/** Runs the bare loop in a process of its own: nothing of the harness' heap or threads is counted with it. */
export async function runBareLoop(options: {
  files: readonly string[];
  modelDir: string;
  listPath: string;
  env: Record<string, string>;
  signal: AbortSignal;
}): Promise<BareFigures> {
  const { files, modelDir, listPath, env, signal } = options;
  await writeFile(listPath, JSON.stringify(files));
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, listPath, modelDir], {
    env: { ...process.env, ...env },
    signal,
    timeout: 300_000,
  });
  return JSON.parse(stdout) as BareFigures;
}
