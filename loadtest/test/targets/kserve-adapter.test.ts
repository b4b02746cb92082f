import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  installed,
  KINDS,
  startServer,
  whereFrom,
  type Server,
} from '../../../service/test/inference/kserve/servers/start.ts';
import { startScripted, type Scripted } from '../../../service/test/inference/kserve/scripted-server.ts';
import { DEFAULT_LIMITS, planImage } from '../../src/images/plan.ts';
import { synthesise } from '../../src/images/synthesise.ts';
import { judgeProof } from '../../src/prove/judge.ts';
import { ledgerOf } from '../../src/prove/ledger.ts';
import { proveStub, type StubRun } from '../prove/prove-stub.ts';

const ADAPTER = join(import.meta.dirname, '../../../examples/adapters/kserve.ts');
const MODEL = join(import.meta.dirname, '../../../service/models/nuclei/1');
let bytes: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const side = 64;
  const plan = planImage(1, 0, { ...DEFAULT_LIMITS, minSide: side, maxSide: side, medianSide: side, maxCells: 4 });
  bytes = new Uint8Array((await synthesise(1, { ...plan, format: 'png' })).file);
});
afterEach(() => void vi.unstubAllEnvs());

async function proofOf(url: string, given: Partial<StubRun> = {}) {
  vi.stubEnv('KSERVE_URL', url);
  const { records, log } = await proveStub({ adapter: ADAPTER, images: 40, bytes, ...given });
  const { measurements, delivery, failedByCode } = judgeProof(ledgerOf(records));
  const red = Object.entries(measurements).flatMap(([name, { actual }]) => (actual ? [name] : []));
  return { red, delivery, failedByCode, fault: ledgerOf(records).fault, log };
}

describe('the adapter of an inference server', () => {
  let server: Scripted;
  afterEach(() => server.close());

  it('proves one through a cut of its connections: what they took is asked for again', async () => {
    // The tenth request waits for ever: its connection is one that the line takes with it.
    server = await startScripted({ infer: (inference, nth) => void (nth === 10 || inference.answer()) });
    const { red, delivery, fault } = await proofOf(server.url);
    expect(red).toEqual([]);
    expect(delivery).toMatchObject({ submitted: 40, completed: 40, terminalEventsReceived: 40 });
    expect(fault?.connections).toBeGreaterThan(0);
    expect(server.seen.inferences.length).toBeGreaterThanOrEqual(41);
  });

  it('tells failed, with a reason, what the server does not answer in the form of the protocol', async () => {
    server = await startScripted({
      infer: (inference, nth) => inference.answer(nth === 3 ? { output: { name: 'other' } } : {}),
    });
    const { red, delivery, failedByCode, log } = await proofOf(server.url, { fault: 'none' });
    expect(red).toEqual([]);
    expect(delivery).toMatchObject({ completed: 39, failed: 1 });
    expect(failedByCode).toEqual({ ProtocolError: 1 });
    expect(log.join()).toContain('reply has the outputs "other", expected "logits"');
  });

  it('says what is wrong with a model that is not the card’s', async () => {
    server = await startScripted({
      metadata: { name: 'nuclei', inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }] },
    });
    await expect(proofOf(server.url)).rejects.toThrow(/kserve\.ts: open\(\) failed .* has the inputs "x" FP32 \[1\]/);
  });
});

for (const kind of KINDS)
  describe.skipIf(!installed(kind))(`the adapter before a server of others (${whereFrom(kind)})`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await startServer(kind, MODEL);
    });
    afterAll(() => server?.stop());

    it('proves it through a cut of its connections', async () => {
      const { red, delivery, fault } = await proofOf(server.url);
      expect(red).toEqual([]);
      expect(delivery).toMatchObject({ completed: 40, failed: 0 });
      expect(fault?.connections).toBeGreaterThan(0);
    });
  });
