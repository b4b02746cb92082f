import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROOF_BUDGETS } from '../../../scenarios/budgets-proof.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { judgeProof } from '../../src/prove/judge.ts';
import { ledgerOf } from '../../src/prove/ledger.ts';
import { proveStub, type StubRun } from './prove-stub.ts';
import { startStub, type Stub, type StubPlants } from './stub-service.ts';

const ROOT = join(import.meta.dirname, '../../..');
const MINIMAL = join(ROOT, 'examples/adapters/minimal.ts');
const POLLING = join(ROOT, 'examples/adapters/polling.ts');
let stub: Stub | undefined;
afterEach(async () => {
  await stub?.kill();
  stub = undefined;
  delete process.env['MY_SERVICE_URL'];
});

/** A proof of a stub with these plants: the counts that are not 0, and what stands against single images. */
async function proofOf(plants: StubPlants, given: Partial<StubRun> = {}) {
  stub = await startStub(plants);
  process.env['MY_SERVICE_URL'] = stub.url;
  const { records } = await proveStub({ adapter: MINIMAL, ...given });
  const ledger = ledgerOf(records);
  const { measurements, findings, delivery } = judgeProof(ledger);
  const budgets = judgeBudgets(measurements, PROOF_BUDGETS, { imageCount: ledger.run.images });
  return {
    verdicts: Object.fromEntries(budgets.map(({ name, verdict }) => [name, verdict])),
    red: Object.fromEntries(
      budgets.filter(({ verdict }) => verdict === 'fail').map(({ name, actual }) => [name, actual]),
    ),
    notes: budgets.flatMap(({ note }) => note ?? []),
    findings,
    delivery,
    ledger,
  };
}

describe('the proof of a service', () => {
  it('passes a healthy one whose event connection is cut on the way', async () => {
    const { verdicts, delivery, ledger } = await proofOf({});
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['pass']));
    expect(delivery).toEqual({
      submitted: 200,
      completed: 200,
      failed: 0,
      terminalEventsReceived: 200,
      duplicates: 0,
      missing: 0,
      sequenceGaps: 0,
    });
    expect(ledger.fault).toMatchObject({ fault: 'cut', connections: 1, told: 80 });
    expect(new Set(ledger.events.map(({ connection }) => connection))).toEqual(new Set([1, 2]));
  });

  it('finds, unaided, a batcher that loses ends across its windows, and a replay that comes twice', async () => {
    const { red, findings } = await proofOf({ lastWriteWins: true, replayTwice: true });
    expect(Object.keys(red)).toEqual(['proof_lost', 'proof_twice', 'proof_gaps']);
    expect(red['proof_lost']).toBe(8);
    expect(red['proof_twice']).toBeGreaterThan(0);
    expect(findings.filter(({ kind }) => kind === 'lost').map(({ imageId }) => imageId)).toContain('image-7');
  });

  it.each<[string, StubPlants, Record<string, number>]>([
    ['one event of 200 is lost', { lose: 113 }, { proof_lost: 1 }],
    ['one is told twice', { double: 113 }, { proof_twice: 1 }],
    ['a result is missing though its event said completed', { noResult: 113 }, { proof_untrue: 1 }],
    ['an accepted image never ends', { neverEnds: 113 }, { proof_not_ended: 1 }],
    ['a failed image is told completed', { wrongEnd: 113 }, { proof_untrue: 1 }],
  ])('is red in one figure alone when %s, and names the image', async (_, plants, expected) => {
    const follow = 'neverEnds' in plants ? { stallMs: 2000 } : {};
    const { red, findings } = await proofOf(plants, { follow });
    expect(red).toEqual(expected);
    expect(findings).toMatchObject([{ imageId: 'image-113' }]);
  });

  it('is red when an event comes late', async () => {
    const { red, findings } = await proofOf(
      { late: { image: 113, ms: 1500 } },
      { follow: { lateMs: 300, giveUpMs: 10_000 } },
    );
    expect(red).toEqual({ proof_late: 1 });
    expect(findings).toMatchObject([{ kind: 'late', imageId: 'image-113' }]);
  });

  it('knows no gaps of a service that numbers nothing, and sees what it loses while its client was away', async () => {
    const { verdicts, red } = await proofOf({ unnumbered: true });
    expect(verdicts['proof_gaps']).toBe('n/a');
    expect(red).toEqual({ proof_lost: expect.any(Number) as number });
  });

  it('passes one that numbers nothing when nothing breaks', async () => {
    const { verdicts } = await proofOf({ unnumbered: true }, { fault: 'none', images: 40 });
    expect(Object.entries(verdicts).filter(([, verdict]) => verdict !== 'pass')).toEqual([['proof_gaps', 'n/a']]);
  });

  it('goes on after a line that was silent for a while', async () => {
    const { verdicts, ledger } = await proofOf(
      {},
      { fault: 'stall', images: 40, follow: { giveUpMs: 20_000, stallMs: 20_000 } },
    );
    expect(ledger.fault).toMatchObject({ fault: 'stall', connections: 1 });
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['pass']));
  });

  describe('whose adapter does not use the line', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'segbench-adapter-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));
    async function around(cut: string): Promise<string> {
      const path = join(folder, `around-${cut.length}.mjs`);
      await writeFile(
        path,
        `import make from ${JSON.stringify(pathToFileURL(MINIMAL).href)};
         const sockets = [];
         export default () => {
           const target = make();
           const Own = class extends WebSocket { constructor(url) { super(url); sockets.push(this); } };
           globalThis.WebSocket = Own;
           return { ...target, open: (config) => target.open({ ...config, through: async (url) => url })${cut} };
         };`,
      );
      return path;
    }
    const NativeSocket = globalThis.WebSocket;
    afterEach(() => void (globalThis.WebSocket = NativeSocket));

    it('proves nothing of it: the fault met nobody', async () => {
      const { verdicts, notes } = await proofOf({}, { adapter: await around(''), images: 40 });
      expect(verdicts['proof_lost']).toBe('inconclusive');
      expect(notes.join()).toContain('the fault "cut" met no connection: events must come by way of config.through()');
    });

    it('passes it when the adapter breaks its own connection', async () => {
      const adapter = await around(', cut: () => sockets.at(-1).close()');
      const { verdicts, ledger } = await proofOf({}, { adapter, images: 40 });
      expect(new Set(Object.values(verdicts))).toEqual(new Set(['pass']));
      expect(ledger.fault).toMatchObject({ connections: 1 });
      expect(stub?.seen.connections).toBe(2);
    });
  });

  it('passes one that tells nothing by itself, through the adapter that asks', async () => {
    const { verdicts, ledger } = await proofOf({}, { adapter: POLLING, images: 60 });
    expect(Object.entries(verdicts).filter(([, verdict]) => verdict !== 'pass')).toEqual([['proof_gaps', 'n/a']]);
    expect(ledger.fault?.connections).toBeGreaterThan(0);
  });

  it('has its adapter of forty lines in the docs as it is', async () => {
    const block = /```ts\n(.*?)```/s.exec(await readFile(join(ROOT, 'docs/targets.md'), 'utf8'))?.[1];
    expect(block).toBe(await readFile(POLLING, 'utf8'));
  });
});
