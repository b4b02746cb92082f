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

interface BareOptions {
  files: readonly string[];
  modelDir: string;
  /** Processes that share the files, each on a core of its own. */
  processes: number;
  /** Folder for the lists of files. */
  directory: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/** Figures of loops that ran side by side: CPU an image over all images, rates added. */
export function mergeBare(parts: readonly BareFigures[]): BareFigures {
  const sum = (of: (part: BareFigures) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const count = sum((part) => part.count);
  return {
    count,
    failed: sum((part) => part.failed),
    cpuMsPerImage: sum((part) => part.cpuMsPerImage * part.count) / Math.max(1, count),
    imagesPerSecond: sum((part) => part.imagesPerSecond),
  };
}

/** Runs the bare loop in processes of its own: nothing of the harness' heap or threads is counted with it. */
export async function runBareLoop(options: BareOptions): Promise<BareFigures> {
  const { files, modelDir, directory, env, signal } = options;
  const processes = Math.min(options.processes, files.length);
  const shares = Array.from({ length: processes }, (_, k) => files.filter((_file, index) => index % processes === k));
  const parts = shares.map(async (share, index) => {
    const listPath = join(directory, `bare-${index}.json`);
    await writeFile(listPath, JSON.stringify(share));
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, listPath, modelDir], {
      env: { ...process.env, ...env },
      signal,
      timeout: 600_000,
    });
    return JSON.parse(stdout) as BareFigures;
  });
  return mergeBare(await Promise.all(parts));
}
