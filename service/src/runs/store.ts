import { createHash } from 'node:crypto';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Run, RunDetail, RunsReply } from '#contract/runs.ts';
import { detailOf, summaryOf } from './summary.ts';

const RESULT = 'result.json';
const REPORT = 'report.html';
/** A folder as the bench names it: its time, then the scenario. */
const RUN_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[\w.-]{1,100}$/;
/** More folders than this are not looked at: the newest stay. */
const FOLDERS_MAX = 2_000;
const RESULT_BYTES = 8e6;
/** A delivery proof carries its ledger. */
const REPORT_BYTES = 128e6;
const KEPT = 500;

export interface RunReport {
  path: string;
  /** Strong, with its quotes. */
  etag: string;
}

/** Version 8 (RFC 9562 section 5.8): made from the folder's name, so that no request ever names a path. */
export function runIdOf(name: string): string {
  const bytes = createHash('sha256').update(`segbench run ${name}`).digest().subarray(0, 16);
  bytes[6] = 0x80 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A regular file of this folder, not a link to elsewhere, of a bounded size; null where there is none. */
async function fileIn(root: string, folder: string, name: string, maxBytes: number) {
  const path = join(root, folder, name);
  const found = await lstat(path).catch(() => null);
  if (!found?.isFile() || found.size > maxBytes) return null;
  const real = await realpath(path).catch(() => '');
  if (!real.startsWith(root + sep)) return null;
  return { path, size: found.size, mtimeMs: found.mtimeMs };
}

async function readJson(path: string, size: number): Promise<unknown> {
  const handle = await open(path, 'r');
  try {
    // no more than was looked at, whatever has been written to it since
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
    return JSON.parse(buffer.subarray(0, bytesRead).toString()) as unknown;
  } finally {
    await handle.close();
  }
}

/**
 * The runs of the bench in a folder, newest first. Ids are looked up among the names that the folder has: nothing that a client
 * sends becomes part of a path. A folder that is not there has no runs.
 */
export function createRunStore(resultsDir: string) {
  const known = new Map<string, { size: number; mtimeMs: number; run: Run }>();

  async function root(): Promise<string | null> {
    return realpath(resultsDir).catch(() => null);
  }
  async function names(at: string | null): Promise<string[]> {
    const entries = at === null ? [] : await readdir(at, { withFileTypes: true }).catch(() => []);
    const runs = entries.filter((entry) => entry.isDirectory() && RUN_NAME.test(entry.name)).map(({ name }) => name);
    return runs.sort((a, b) => (a < b ? 1 : -1)).slice(0, FOLDERS_MAX);
  }
  async function read(at: string, name: string): Promise<Run | null> {
    const file = await fileIn(at, name, RESULT, RESULT_BYTES);
    if (file === null) return null;
    const { size, mtimeMs } = file;
    const hasReport = (await fileIn(at, name, REPORT, REPORT_BYTES)) !== null;
    const before = known.get(name);
    if (before?.size === size && before.mtimeMs === mtimeMs) return { ...before.run, hasReport };
    try {
      const run = summaryOf(await readJson(file.path, size), { id: runIdOf(name), name, hasReport });
      known.delete(name);
      known.set(name, { size, mtimeMs, run });
      const [first] = known.keys();
      if (known.size > KEPT && first !== undefined) known.delete(first);
      return run;
    } catch {
      return null;
    }
  }
  async function find(id: string): Promise<{ at: string; name: string } | null> {
    const at = await root();
    const name = (await names(at)).find((each) => runIdOf(each) === id);
    return at === null || name === undefined ? null : { at, name };
  }
  return {
    async list({ limit, offset }: { limit: number; offset: number }): Promise<RunsReply> {
      const at = await root();
      const all = await names(at);
      const items: Run[] = [];
      const unreadable: string[] = [];
      // one after the other: a page of them is megabytes
      for (const name of all.slice(offset, offset + limit)) {
        const run = await read(at!, name);
        if (run === null) unreadable.push(name);
        else items.push(run);
      }
      return { items, total: all.length, limit, offset, unreadable };
    },
    async get(id: string): Promise<RunDetail | null> {
      const found = await find(id);
      if (found === null) return null;
      const { at, name } = found;
      const file = await fileIn(at, name, RESULT, RESULT_BYTES);
      const hasReport = (await fileIn(at, name, REPORT, REPORT_BYTES)) !== null;
      try {
        return file && detailOf(await readJson(file.path, file.size), { id, name, hasReport });
      } catch {
        return null;
      }
    },
    /** Where the report of a run lies; null where there is none. */
    async report(id: string): Promise<RunReport | null> {
      const found = await find(id);
      const file = found && (await fileIn(found.at, found.name, REPORT, REPORT_BYTES));
      return file && { path: file.path, etag: `"${file.size.toString(36)}-${Math.floor(file.mtimeMs).toString(36)}"` };
    },
  };
}
export type RunStore = ReturnType<typeof createRunStore>;
