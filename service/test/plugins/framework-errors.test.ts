import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

/** What comes back for bytes that no HTTP client would send. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}
const bodyOf = (reply: string) => JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4)) as ErrorBody;

describe('what no route sees', () => {
  it('is refused in the service’s own shape when a part of the path is too long', async () => {
    const reply = await service.call(`/api/images/${'z'.repeat(300)}`);
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({
      statusCode: 400,
      code: 'VALIDATION',
      message: expect.stringContaining('at most 200'),
    });
  });

  it('is refused in the service’s own shape when the path is badly escaped', async () => {
    const reply = await raw('GET /api/images/%E0%A4%A HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(reply).toContain('HTTP/1.1 400 ');
    expect(bodyOf(reply)).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('percent-encoded') });
  });

  it('is refused in the service’s own shape when it is not HTTP, or its headers are too large', async () => {
    const nonsense = await raw('nonsense\r\n\r\n');
    expect(nonsense).toContain('HTTP/1.1 400 Bad Request');
    expect(bodyOf(nonsense)).toMatchObject({ statusCode: 400, code: 'BAD_REQUEST' });
    const large = await raw(`GET / HTTP/1.1\r\nhost: x\r\nx-large: ${'h'.repeat(40_000)}\r\n\r\n`);
    expect(large).toContain('HTTP/1.1 431 ');
    expect(bodyOf(large)).toMatchObject({ statusCode: 431, code: 'HEADERS_TOO_LARGE' });
  });
});

describe('a body that no handler sees', () => {
  const send = async (type: string, body: string) => {
    const reply = await service.call('/api/projects', { method: 'POST', headers: { 'content-type': type }, body });
    return (await reply.json()) as ErrorBody;
  };

  it('is refused with its value and what is allowed', async () => {
    expect(await send('text/yaml', 'a: 1')).toMatchObject({
      statusCode: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'content-type is "text/yaml": expected application/json',
    });
    expect(await send('application/json', `"${'x'.repeat(1_048_576)}"`)).toMatchObject({
      statusCode: 413,
      code: 'BODY_TOO_LARGE',
      message: 'body has 1048578 bytes: at most 1048576 are allowed',
    });
    expect(await send('application/json', '{"name":')).toMatchObject({
      statusCode: 400,
      code: 'BAD_REQUEST',
      message: 'body is not valid JSON: expected what its content-type says, application/json',
    });
  });
});
