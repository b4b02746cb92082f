import { isIP } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLookup, isNever, type Resolve } from '../../src/webhooks/lookup.ts';
import { sendWebhook } from '../../src/webhooks/send.ts';
import { SECRET, startReceiver, type Receiver } from './receiver.ts';

let receiver: Receiver;
let port: string;
beforeAll(async () => {
  receiver = await startReceiver();
  port = new URL(receiver.origin).port;
});
afterAll(() => receiver.close());

const found = (address: string) => ({ address, family: isIP(address) });
/** A name server that says something else each time. */
function nameServer(...answers: string[][]): Resolve & { asked: number } {
  const resolve = (...[, , done]: Parameters<Resolve>) =>
    done(null, (answers[Math.min(resolve.asked++, answers.length - 1)] ?? []).map(found));
  resolve.asked = 0;
  return resolve;
}
const send = (host: string, resolve?: Resolve) =>
  sendWebhook(
    { id: 'm', url: `http://${host}:${port}/hook`, body: '{"type":"x"}' },
    {
      webhookUrl: '',
      webhookOrigins: [`http://${host}:${port}`],
      webhookSecret: [{ origin: null, secret: SECRET }],
      webhookTimeoutMs: 5_000,
      webhookKeepMs: 1,
    },
    resolve ? { lookup: createLookup(resolve) } : {},
  );

describe('a name that is told something', () => {
  it('is not believed when it leads to this machine, though it led elsewhere when it was looked at before', async () => {
    const resolve = nameServer(['127.0.0.1']);
    expect(await send('hooks.example.org', resolve)).toMatchObject({
      kind: 'failed',
      why: 'hooks.example.org leads to 127.0.0.1, where nothing is sent by name',
    });
    expect(await send('hooks.example.org', nameServer(['192.0.2.1', '::1']))).toMatchObject({ kind: 'failed' });
    expect(receiver.received).toEqual([]);
    // one question, whose answer is what is connected to: there is no second one that could be answered otherwise
    expect(resolve.asked).toBe(1);
  });

  it('is followed where it may be: the operator’s own words are localhost and addresses in digits', async () => {
    expect(await send('localhost', nameServer(['127.0.0.1']))).toEqual({ kind: 'sent' });
    expect(await send('127.0.0.1')).toEqual({ kind: 'sent' });
    expect(receiver.received.map(({ problem }) => problem)).toEqual([null, null]);
  });

  it('may fail to be found, and is asked for again later', async () => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND hooks.example.org'), { code: 'ENOTFOUND' });
    const resolve: Resolve = (_name, _options, done) => done(error, []);
    expect(await send('hooks.example.org', resolve)).toMatchObject({ kind: 'failed', why: error.message });
  });
});

it('knows addresses that lead back here, to the neighbours on the link, or to keys of a cloud', () => {
  const never = (address: string) => isNever(found(address));
  const wrong = `127.0.0.1 127.255.0.9 0.0.0.0 0.1.2.3 169.254.169.254 100.100.100.200 224.0.0.1 255.255.255.255
    :: ::1 fe80::1 ff02::1 fd00:ec2::254 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1`;
  for (const address of wrong.split(/\s+/)) expect([address, never(address)]).toEqual([address, true]);
  // receivers in the operator's own network are the common case
  for (const address of [
    '192.0.2.1',
    '10.0.0.7',
    '192.168.1.9',
    '100.64.0.1',
    '2001:db8::1',
    'fd12::1',
    '::ffff:10.0.0.7',
  ])
    expect([address, never(address)]).toEqual([address, false]);
});
