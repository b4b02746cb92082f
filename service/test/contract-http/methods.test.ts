import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Document } from '../../src/openapi/document.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
let service: TestApp;
let document: Document;
beforeAll(async () => {
  service = await startTestApp();
  document = (await (await service.call('/openapi.json')).json()) as Document;
});
afterAll(() => service.close());

describe('a method that a path does not have', () => {
  it('is answered with 405 and what the path has, for every path and method', async () => {
    const wrong: string[] = [];
    for (const [template, operations] of Object.entries(document.paths)) {
      const path = template.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000001');
      const own = Object.keys(operations).map((method) => method.toUpperCase());
      const allowed = [...own, ...(own.includes('GET') ? ['HEAD'] : [])].sort();
      for (const method of METHODS.filter((one) => !allowed.includes(one))) {
        const reply = await service.call(`${path}?x=1`, { method });
        const { code } = method === 'HEAD' ? { code: '' } : ((await reply.json()) as ErrorBody);
        const seen = `${reply.status} ${reply.headers.get('allow')} ${code}`;
        const expected = `405 ${allowed.join(', ')} ${method === 'HEAD' ? '' : 'METHOD_NOT_ALLOWED'}`;
        if (seen !== expected) wrong.push(`${method} ${template}: ${seen}, expected ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(Object.keys(document.paths).length).toBeGreaterThan(30);
  });

  it('names the method, the path and what is expected', async () => {
    const reply = await service.call('/api/projects/', { method: 'PUT', json: { name: 'x' } });
    expect(await reply.json()).toMatchObject({
      statusCode: 405,
      code: 'METHOD_NOT_ALLOWED',
      message: 'no route PUT "/api/projects/": expected GET, HEAD, POST',
    });
  });

  it('is told from a path that is not there', async () => {
    const paths = ['/api', '/api/nothing', '/api/projects/a/b/c', '/api/projectsx', '/xapi/projects'];
    for (const path of paths)
      for (const method of ['GET', 'PUT']) {
        const reply = await service.call(path, { method });
        expect({ path, method, status: reply.status }).toEqual({ path, method, status: 404 });
        expect(reply.headers.get('allow')).toBeNull();
      }
  });
});
