import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendWebhook } from '../../src/webhooks/send.ts';
import { until } from '../batches/fixture.ts';
import { SECRET } from './receiver.ts';

const PROGRAM = fileURLToPath(new URL('../../../examples/webhook-receiver.ts', import.meta.url));
const OTHER = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
let lines = '';
let origin: string;
const children: ChildProcess[] = [];

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
function start(port: number, secret: string): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, String(port)], { env: { ...process.env, WEBHOOK_SECRET: secret } });
  children.push(child);
  return child;
}

beforeAll(async () => {
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const child = start(port, SECRET);
  child.stdout!.on('data', (chunk: Buffer) => void (lines += chunk.toString()));
  await until(() => lines.includes('listening'));
});
afterAll(() => children.forEach((child) => child.kill()));

it('is the receiver that the documentation starts with: takes what is signed once, drops it twice, refuses what is not', async () => {
  const config = { webhookUrl: '', webhookOrigins: [origin], webhookTimeoutMs: 5_000, webhookKeepMs: 1 };
  const told = JSON.stringify({ type: 'batch.completed', data: { batchId: 'b1', counts: { completed: 3 } } });
  const send = (id: string, secrets: string[], { now = Date.now(), body = told } = {}) => {
    const webhookSecret = secrets.map((secret) => ({ origin: null, secret }));
    return sendWebhook({ id, url: `${origin}/`, body }, { ...config, webhookSecret }, { now: () => now });
  };
  expect(await send('m1', [SECRET])).toEqual({ kind: 'sent' });
  expect(await send('m1', [OTHER, SECRET])).toEqual({ kind: 'sent' });
  for (const refused of [send('m2', [OTHER]), send('m3', [SECRET], { now: Date.now() - 3_600_000 })])
    expect(await refused).toMatchObject({ kind: 'failed', why: 'answered with 401' });
  // it lets nobody fill its memory, and goes on
  const flood = await send('m4', [SECRET], { body: 'x'.repeat(4 * 2 ** 20) });
  expect(flood).toMatchObject({ kind: 'failed', why: expect.not.stringContaining('answered') as string });
  expect(await send('m1', [SECRET])).toEqual({ kind: 'sent' });
  expect(lines).toBe('listening\nbatch.completed b1 {"completed":3}\n');
});

it('does not start without a secret, with which everybody could sign', async () => {
  const without = start(0, '');
  let said = '';
  without.stderr!.on('data', (chunk: Buffer) => void (said += chunk.toString()));
  const code = await new Promise((resolve) => without.on('close', resolve));
  expect(code).toBe(1);
  expect(said).toContain('WEBHOOK_SECRET is not set');
});
