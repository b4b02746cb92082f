import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../../../loadtest/src/environment/processes.ts';
import { sendWebhook } from '../../src/webhooks/send.ts';
import { SECRET } from './receiver.ts';

const openssl = onPath('openssl', process.env);
const known = getCACertificates('default');
let folder: string;
let certificate: string;
let server: Server;
const heard: string[] = [];

beforeAll(async () => {
  if (openssl === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'segbench-https-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync(openssl, ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...names], {
    stdio: 'ignore',
  });
  certificate = readFileSync(cert, 'utf8');
  server = createServer({ key: readFileSync(key), cert: certificate }, (request, reply) => {
    heard.push(request.url ?? '');
    reply.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
});
afterAll(() => {
  if (openssl === undefined) return;
  setDefaultCACertificates(known);
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const send = (host: string) => {
  const origin = `https://${host}:${(server.address() as AddressInfo).port}`;
  const message = { id: 'm', url: `${origin}/${host}`, body: '{}' };
  const webhookSecret = [{ origin: null, secret: SECRET }];
  const limits = { webhookTimeoutMs: 5_000, webhookKeepMs: 1 };
  return sendWebhook(message, { webhookUrl: '', webhookOrigins: [origin], webhookSecret, ...limits });
};

describe.skipIf(openssl === undefined)('a receiver over https', () => {
  it('is told nothing unless its certificate is one that is trusted, and is of the name that was listed', async () => {
    expect(await send('localhost')).toMatchObject({
      kind: 'failed',
      why: expect.stringContaining('self-signed') as string,
    });
    setDefaultCACertificates([...known, certificate]);
    expect(await send('localhost')).toEqual({ kind: 'sent' });
    expect(await send('127.0.0.1')).toMatchObject({
      kind: 'failed',
      why: expect.stringContaining('127.0.0.1') as string,
    });
    expect(heard).toEqual(['/localhost']);
  });
});
