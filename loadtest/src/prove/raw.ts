import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { UsageError } from '../cli/usage-error.ts';
import { rawLedgerIn } from '../report/raw-ledger.ts';
import type { ProofRecord } from './records.ts';

/** More than the largest run leaves, unpacked: what comes from elsewhere may be anything. */
const MOST_BYTES = 2 ** 30;

/** Inside a run's folder. */
export const RAW_FILE = 'raw/proof.ndjson.gz';

export const encodeRecords = (records: readonly ProofRecord[]): Buffer =>
  gzipSync(records.map((record) => `${JSON.stringify(record)}\n`).join(''));

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
const isRecord = (value: unknown): value is ProofRecord =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** @throws RangeError that names the line */
export function decodeRecords(bytes: Uint8Array): ProofRecord[] {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = Buffer.from(isGzip ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes).toString();
  return text.split('\n').flatMap((line, at) => {
    if (line === '') return [];
    const record = parsed(line);
    if (!isRecord(record)) throw new RangeError(`line ${at + 1} of the raw ledger is no record`);
    return record;
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
