import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { judgeProof } from '../../src/prove/judge.ts';
import { ledgerOf } from '../../src/prove/ledger.ts';
import { proveStub, type StubRun } from '../prove/prove-stub.ts';
import { startHub, type HubPlants } from './hub-stub.ts';

const ADAPTER = join(import.meta.dirname, '../../../examples/adapters/cell-segmentation-hub.ts');
let hub: Awaited<ReturnType<typeof startHub>> | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub?.close();
});

async function proofOf(plants: HubPlants, env: Record<string, string> = {}, given: Partial<StubRun> = {}) {
  hub = await startHub(plants);
  for (const [name, value] of Object.entries({ ...hub.settings, ...env })) vi.stubEnv(name, value);
  const ledger = ledgerOf((await proveStub({ adapter: ADAPTER, images: 120, ...given })).records);
  const { measurements, delivery } = judgeProof(ledger);
  const counts = Object.entries(measurements).flatMap(([name, { actual }]) =>
    actual ? [[name, actual] as const] : [],
  );
  return { red: Object.fromEntries(counts), delivery, ledger, gaps: measurements.proof_gaps };
}

describe('the adapter of cell-segmentation-hub', () => {
  it('proves a healthy hub through a cut socket: what it missed it asks for, and no end is told twice', async () => {
    const { red, delivery, ledger, gaps } = await proofOf({});
    expect(red).toEqual({});
    expect(delivery).toMatchObject({ submitted: 120, completed: 120, terminalEventsReceived: 120 });
    expect(ledger.fault).toMatchObject({ connections: 1 });
    expect(hub?.seen.connections).toBe(2);
    expect(hub?.seen.pongs).toBeGreaterThan(0);
    expect(gaps?.notApplicable).toContain('does not number');
  });

  it('tells no end twice that it found by asking and that the socket says afterwards', async () => {
    const follow = { faultAtShare: 0.1 };
    const { red, delivery } = await proofOf({ slowSocketMs: 600 }, {}, { images: 240, follow });
    expect(red).toEqual({});
    expect(delivery).toMatchObject({ completed: 240, terminalEventsReceived: 240 });
  });

  it('sees that the hub’s own events do not outlast a cut when nobody asks again', async () => {
    const { red } = await proofOf({}, { HUB_CATCH_UP: 'off' });
    expect(Object.keys(red)).toEqual(['proof_lost']);
  });

  it('sees an end that the hub never says', async () => {
    const { red } = await proofOf({ lose: 100 }, {}, { fault: 'none' });
    expect(red).toEqual({ proof_lost: 1 });
  });

  it('takes an image without objects for completed, and a failed one for ended', async () => {
    const { red, delivery } = await proofOf({ empty: 3, fail: 5 }, {}, { images: 20, fault: 'none' });
    expect(red).toEqual({});
    expect(delivery).toMatchObject({ completed: 19, failed: 1 });
  });

  it('signs in again when its token has ended', async () => {
    const { red } = await proofOf({ shortTokens: true }, {}, { images: 20, fault: 'none' });
    expect(red).toEqual({});
    expect(hub?.seen.logins).toBeGreaterThan(2);
  });

  it('says which call failed, and where, when the password is wrong', async () => {
    await expect(proofOf({}, { HUB_PASSWORD: 'wrong' })).rejects.toThrow(
      /cell-segmentation-hub\.ts: open\(\) failed after \d+ ms: POST http:\/\/127\.0\.0\.1:\d+\/api\/auth\/login: status 401/,
    );
  });
});
