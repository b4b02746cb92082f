import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ask } from './support.ts';

let service: TestApp;
let production: TestApp;
beforeAll(async () => {
  service = await startTestApp();
  production = await startTestApp({ NODE_ENV: 'production' }, { beside: service });
});
afterAll(async () => {
  await production.close();
  await service.close();
});
/** As an address bar asks. */
const visit = (at: TestApp, path: string) =>
  at.call(path, { key: null, headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
const INTROSPECTION = '{ __schema { queryType { name } } }';

describe('the page to try queries with', () => {
  it('comes from this server alone, whole, and under its policy', async () => {
    const reply = await visit(service, '/graphql');
    const html = await reply.text();
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = reply.headers.get('content-security-policy')!;
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    // Below the folder that a proxy may have put it into: relative to where the page is.
    const found = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link!);
    expect(found.filter((link) => !link.startsWith('./'))).toEqual([]);
    const links = found.map((link) => link.slice(1));
    expect(links.toSorted()).toEqual(['/docs/page.css', '/graphql/explorer.css', '/graphql/explorer.js']);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son[a-z]+=|https?:\/\//);
    for (const link of links) {
      const file = await visit(service, link);
      expect([file.status, file.headers.get('content-type')]).toEqual([200, expect.stringMatching(/css|javascript/)]);
      expect(await file.text()).not.toMatch(/https?:\/\/|\beval\(|innerHTML/);
    }
  });

  it('is not there in production, and neither is introspection', async () => {
    expect((await visit(production, '/graphql')).status).toBe(401);
    expect((await production.call('/graphql', { headers: { accept: 'text/html' } })).status).toBe(405);
    for (const name of ['explorer.js', 'explorer.css'])
      expect((await visit(production, `/graphql/${name}`)).status).toBe(404);
    for (const query of [INTROSPECTION, '{ __type(name: "Image") { name } }']) {
      const refused = await ask(production, query);
      expect([refused.status, refused.code, refused.data]).toEqual([400, 'DOCUMENT_INVALID', undefined]);
      expect(refused.message).toMatch(/introspection/i);
    }
    expect((await ask(production, '{ __typename me { __typename name } }')).data).toEqual({
      __typename: 'Query',
      me: { __typename: 'Me', name: 'bootstrap' },
    });
  });

  it('is told no names of the schema by errors in production, and outside of it all', async () => {
    const wrong = '{ projects { totals } }';
    expect((await ask(service, wrong)).message).toContain('items, total, limit, offset, nextCursor');
    expect((await ask(production, wrong)).message).not.toMatch(/nextCursor|Did you mean/);
    const variables = { sort: 'names' };
    const query =
      'query ($sort: ImageSort!) { images(projectId: "01980000-0000-7000-8000-0000000000ff", sort: $sort) { total } }';
    expect((await ask(production, query, variables)).message).not.toMatch(/Did you mean/);
  });

  it('finds types, directives and descriptions by introspection outside of production', async () => {
    const query = `{ __schema { types { name } directives { name } } __type(name: "Project") { fields { name description } } }`;
    const { data, extensions } = await ask(service, query);
    const { types, directives } = data!['__schema'] as Record<string, { name: string }[]>;
    const names = types!.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['Project', 'Image', 'Batch', 'Result', 'Polygon', 'Export']));
    expect(directives!.map(({ name }) => name)).toContain('cost');
    expect(JSON.stringify(data!['__type'])).toContain('The key that created it');
    expect(extensions!.cost.complexity).toBe(200);
  });
});
