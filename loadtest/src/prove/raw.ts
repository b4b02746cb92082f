import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { UsageError } from '../cli/usage-error.ts';
import { rawLedgerIn } from '../report/raw-ledger.ts';
import type { ProofRecord } from './records.ts';

/** Inside a run's folder. */
export const RAW_FILE = 'raw/proof.ndjson.gz';

export const encodeRecords = (records: readonly ProofRecord[]): Buffer =>
  gzipSync(records.map((record) => `${JSON.stringify(record)}\n`).join(''));

/** @throws RangeError that names the line */
export function decodeRecords(bytes: Uint8Array): ProofRecord[] {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = Buffer.from(isGzip ? gunzipSync(bytes) : bytes).toString();
  return text.split('\n').flatMap((line, at) => {
    if (line === '') return [];
    try {
      return JSON.parse(line) as ProofRecord;
    } catch {
      throw new RangeError(`line ${at + 1} of the raw ledger is not JSON`);
    }
  });
}

/**
 * The raw ledger of a run's folder, of a shared `report.html`, or of a file of its own, gzipped or not.
 * @throws UsageError when there is none
 */
export async function readRaw(path: string): Promise<{ records: ProofRecord[]; bytes: Buffer }> {
  const isFolder = (await stat(path)).isDirectory();
  const file = isFolder ? join(path, RAW_FILE) : path;
  try {
    const bytes = await readFile(file);
    const raw = file.endsWith('.html') ? rawLedgerIn(bytes.toString()) : bytes;
    return { records: decodeRecords(raw), bytes: raw };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `--rejudge "${path}" has no raw ledger: ${why}; expected the folder of a run of the scenario prove, its report.html or its ${RAW_FILE}`,
    );
  }
}
