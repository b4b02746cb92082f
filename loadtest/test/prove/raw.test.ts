import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/usage-error.ts';
import { createLine } from '../../src/prove/line.ts';
import { decodeRecords, encodeRecords, readRaw } from '../../src/prove/raw.ts';
import { rejudge } from '../../src/prove/rejudge.ts';
import { recordsOf } from './records.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-raw-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('the raw ledger', () => {
  it('comes back as it went, packed or not', () => {
    const records = recordsOf(5);
    expect(decodeRecords(encodeRecords(records))).toEqual(records);
    expect(decodeRecords(Buffer.from(records.map((record) => JSON.stringify(record)).join('\n')))).toEqual(records);
  });

  it('is judged from a file alone', async () => {
    const { result, disagreements } = await rejudge(await file('a.ndjson.gz', encodeRecords(recordsOf(60))));
    expect({ verdict: result.verdict, disagreements }).toEqual({ verdict: 'pass', disagreements: [] });
    expect(result.images.count).toBe(60);
  });

  it('is not judged a pass when its last line is missing', async () => {
    const { result } = await rejudge(await file('a.ndjson', encodeRecords(recordsOf(60).slice(0, -1))));
    expect(result.verdict).toBe('error');
  });

  it.each<[string, string, Uint8Array | string, RegExp]>([
    ['a page without one', 'report.html', '<p>nothing</p>', /the page carries no raw ledger/],
    ['a line that is no JSON', 'a.ndjson', '{"type":"run"}\n{', /line 2 of the raw ledger is no record/],
    ['a line that is no record', 'a.ndjson', '5', /line 1 of the raw ledger is no record/],
    ['a cut file', 'a.gz', encodeRecords(recordsOf(9)).subarray(0, 100), /unexpected end of file/],
    [
      'another version',
      'a.ndjson',
      encodeRecords(recordsOf(9, undefined, { version: 2 as never })),
      /has version 2, expected 1/,
    ],
    [
      'a scenario that is not there',
      'a.ndjson',
      encodeRecords(recordsOf(9, undefined, { scenario: 'theirs' })),
      /scenario "theirs" does not exist/,
    ],
  ])('refuses %s as wrong usage', async (_, name, content, words) => {
    const judging = rejudge(await file(name, content));
    await expect(judging).rejects.toThrow(UsageError);
    await expect(judging).rejects.toThrow(words);
  });

  it('says what was expected of a folder that has none', async () => {
    await expect(readRaw(folder)).rejects.toThrow(/has no raw ledger: ENOENT.*expected the folder of a run/);
  });
});

describe('the line of events', () => {
  it('cannot carry what has a certificate, and says what to do', async () => {
    const line = createLine();
    await expect(line.through('wss://example.org/events')).rejects.toThrow(
      /cannot carry wss:\/\/example\.org.*give the adapter a function cut\(\), or run with --fault none/,
    );
    await line.close();
  });
});
