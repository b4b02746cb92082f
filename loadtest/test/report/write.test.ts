import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeArtefacts } from '../../src/report/write.ts';
import { GOOD, NAIVE } from './results.ts';

let out: string;
beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'segbench-write-'))));
afterEach(() => rmSync(out, { recursive: true, force: true }));

const ARTEFACTS = [
  'bencher.json',
  'benchmark-bigger.json',
  'benchmark-smaller.json',
  'events.ndjson',
  'junit.xml',
  'metrics.prom',
  'report.html',
  'result.json',
  'summary.md',
];

describe('writeArtefacts', () => {
  it('writes every artefact and points latest at the run', async () => {
    const written = await writeArtefacts(GOOD, { folder: join(out, 'one') });
    expect(readdirSync(join(out, 'one')).toSorted()).toEqual(ARTEFACTS);
    expect(written.files.map((file) => file.slice(out.length + 5)).toSorted()).toEqual(ARTEFACTS);
    expect(written.warnings).toEqual([]);
    expect(JSON.parse(readFileSync(join(out, 'latest', 'result.json'), 'utf8'))).toEqual(GOOD);
  });

  it('moves latest to the newest run and leaves nothing else behind', async () => {
    await writeArtefacts(GOOD, { folder: join(out, 'one') });
    await writeArtefacts(NAIVE, { folder: join(out, 'two') });
    expect(readlinkSync(join(out, 'latest'))).toBe('two');
    expect(readdirSync(out).toSorted()).toEqual(['latest', 'one', 'two']);
  });

  it('keeps the events that the run collected', async () => {
    mkdirSync(join(out, 'one'));
    writeFileSync(join(out, 'one', 'events.ndjson'), '{"seq":1}\n');
    await writeArtefacts(GOOD, { folder: join(out, 'one') });
    expect(readFileSync(join(out, 'one', 'events.ndjson'), 'utf8')).toBe('{"seq":1}\n');
  });

  it('appends to the step summary of a CI job', async () => {
    const stepSummary = join(out, 'step.md');
    writeFileSync(stepSummary, 'before\n');
    await writeArtefacts(GOOD, { folder: join(out, 'one'), stepSummary });
    expect(readFileSync(stepSummary, 'utf8')).toBe(`before\n${readFileSync(join(out, 'one', 'summary.md'), 'utf8')}\n`);
  });

  it('warns, and keeps the artefacts, when latest or the step summary cannot be written', async () => {
    mkdirSync(join(out, 'latest', 'kept'), { recursive: true });
    const written = await writeArtefacts(GOOD, { folder: join(out, 'one'), stepSummary: join(out, 'no', 'step.md') });
    expect(written.warnings).toEqual([
      expect.stringContaining('"latest" was not set'),
      expect.stringContaining('step summary'),
    ]);
    expect(readdirSync(join(out, 'one')).toSorted()).toEqual(ARTEFACTS);
    expect(readdirSync(out).toSorted()).toEqual(['latest', 'one']);
  });
});
