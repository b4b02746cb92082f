import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResultFile } from '../../src/contract.ts';
import { RAW_FILE, decodeRecords, encodeRecords } from '../../src/prove/raw.ts';
import type { ProofRecord } from '../../src/prove/records.ts';
import { rejudge } from '../../src/prove/rejudge.ts';
import { startStub, type Stub, type StubPlants } from './stub-service.ts';
import { ended } from './records.ts';

const BENCH = join(import.meta.dirname, '../../src/cli/bench.ts');
const MINIMAL = join(import.meta.dirname, '../../../examples/adapters/minimal.ts');
let out: string;
let stub: Stub | undefined;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'segbench-prove-'));
});
afterEach(async () => {
  await stub?.kill();
  stub = undefined;
  await rm(out, { recursive: true, force: true });
});

/** Not `capture`: the stub lives in this process and has to answer meanwhile. */
function bench(args: string[], env: Record<string, string> = {}): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [BENCH, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stderr }));
  });
}
async function proveStub(plants: StubPlants, more: string[] = [], scenario = 'prove') {
  stub = await startStub(plants);
  const args = ['--scenario', scenario, '--target', MINIMAL, '--count', '40', '--out', out, ...more];
  const done = await bench(args, { MY_SERVICE_URL: stub.url });
  const folder = join(out, 'latest');
  const result = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as ResultFile;
  return { ...done, folder, result };
}
async function doctor(folder: string, change: (records: ProofRecord[]) => ProofRecord[]): Promise<void> {
  const file = join(folder, RAW_FILE);
  await writeFile(file, encodeRecords(change(decodeRecords(await readFile(file)))));
}

describe('bench --scenario prove', () => {
  it('ends with 0 for a healthy service, and whoever has the folder or the page finds the same verdict', async () => {
    const { code, folder, result } = await proveStub({});
    expect({ code, verdict: result.verdict }).toEqual({ code: 0, verdict: 'pass' });
    expect(result.environment).toMatchObject({ provider: 'external', inference: { model: 'my service' } });
    expect(result.rawLedger?.file).toBe(RAW_FILE);
    for (const path of [folder, join(folder, 'report.html'), join(folder, RAW_FILE)]) {
      const again = await rejudge(path);
      expect(again.disagreements).toEqual([]);
      expect(again.result.budgets).toEqual(result.budgets);
      expect(again.result.tables).toEqual(result.tables);
      expect(again.result.delivery).toEqual(result.delivery);
    }

    const isLast = (record: ProofRecord): boolean =>
      record.type === 'event' && record.status === 'completed' && record.imageId === 'image-39';
    await doctor(folder, (records) => ended(records.filter((record) => !isLast(record))));
    const lost = await rejudge(folder);
    expect(lost.result.verdict).toBe('fail');
    expect(lost.result.budgets.find(({ name }) => name === 'proof_lost')?.actual).toBe(1);
    expect(lost.disagreements).toEqual(
      expect.arrayContaining([
        expect.stringContaining('the raw ledger is not the one that the run left') as string,
        expect.stringContaining('result.json says pass, the raw ledger says fail') as string,
      ]),
    );
  });

  it('never lets a ledger pass that is not the run’s own, even when it looks well', async () => {
    const { code, folder, result } = await proveStub({ noResult: 39 }, ['--fault', 'none']);
    expect({ code, verdict: result.verdict }).toEqual({ code: 1, verdict: 'fail' });
    await doctor(folder, (records) =>
      records.map((record) => (record.type === 'ask' && !record.result ? { ...record, result: true } : record)),
    );
    expect((await rejudge(folder)).result.verdict).toBe('pass');
    const { code: again, stderr } = await bench(['--rejudge', folder]);
    expect(again).toBe(1);
    expect(stderr).toContain('result.json says fail, the raw ledger says pass');
  });

  it('ends with 0 for a bulk run of a healthy service: what needs the page does not apply', async () => {
    const { code, folder, result } = await proveStub({}, [], 'bulk-1000');
    const verdicts = Map.groupBy(result.budgets, ({ verdict }) => verdict);
    expect({ code, passed: verdicts.get('pass')?.map(({ name }) => name) }).toEqual({
      code: 0,
      passed: ['delivery_missing', 'delivery_duplicates', 'throughput_images_per_minute'],
    });
    expect([...verdicts.keys()].toSorted()).toEqual(['n/a', 'pass']);
    const notes = new Set(verdicts.get('n/a')?.map(({ note }) => note));
    expect(notes).toEqual(
      new Set(['the target is not ours: its page is not measured', 'the target is not ours: only itself could say']),
    );
    expect(await readFile(join(folder, 'summary.md'), 'utf8')).toContain('The client was told of each exactly once');
    expect((await rejudge(folder)).disagreements).toEqual([]);
  });

  it('ends with 3, one message and what was seen so far when the service is killed in the middle', async () => {
    const { code, stderr, folder, result } = await proveStub({ diesAfter: 20 });
    expect({ code, verdict: result.verdict }).toEqual({ code: 3, verdict: 'error' });
    expect(stderr.match(/^stopped: .*$/gm)).toEqual([
      expect.stringMatching(
        /^stopped: target .*minimal\.ts \(http:\/\/127\.0\.0\.1:\d+\): results\(\) failed after \d+ ms: fetch failed: .*(ECONNREFUSED|ECONNRESET|other side closed)/,
      ) as string,
    ]);
    const { result: again } = await rejudge(folder);
    expect(again.verdict).toBe('error');
    expect(again.delivery.terminalEventsReceived).toBeGreaterThan(0);
  });

  it('ends with 3 and says where when nobody is there, before an image is made', async () => {
    stub = await startStub();
    await stub.kill();
    const args = ['--scenario', 'prove', '--target', MINIMAL, '--count', '1', '--out', out];
    const { code, stderr } = await bench(args, { MY_SERVICE_URL: stub.url });
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /stopped: target .*minimal\.ts: open\(\) failed after \d+ ms: fetch failed: connect ECONNREFUSED 127\.0\.0\.1:\d+\n/,
    );
    expect(stderr).not.toContain('make images');
  });

  it('ends with 3 when the adapter fails outside of any call, with its words and no stack', async () => {
    const path = join(out, 'adapter.mjs');
    const late = `setTimeout(() => { throw new Error('socket hang up'); }, 10); return new Promise(() => {});`;
    await writeFile(
      path,
      `const nothing = async () => {};
       export default () => ({ open: async () => ({ name: 'a', address: 'b' }), upload: nothing, start: nothing, results: nothing,
         events() { ${late} }, close: nothing });`,
    );
    const { code, stderr } = await bench([
      '--scenario',
      'prove',
      '--target',
      path,
      '--count',
      '1',
      '--out',
      join(out, 'runs'),
    ]);
    expect(code).toBe(3);
    expect(stderr).toContain(`stopped: target ${path}: an error that no call was waiting for: socket hang up\n`);
  });

  it('ends with 2, one message and no folder for an adapter that lacks a function', async () => {
    const path = join(out, 'adapter.mjs');
    await writeFile(path, 'export default () => ({ open() {}, upload() {}, start() {}, results() {}, close() {} });');
    const { code, stderr } = await bench(['--scenario', 'prove', '--target', path, '--out', join(out, 'runs')]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `adapter ${path}: events is missing, expected a function; docs/targets.md has the interface`,
    );
    expect(await readdir(join(out, 'runs'))).toEqual([]);
  });
});
