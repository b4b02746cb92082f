import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type * as generated from '#contract/api.gen.ts';
import type { Batch } from '#contract/batches.ts';
import { addressOf, type BodyOf, type ReplyOf } from '#contract/client.ts';
import type { Image, Project } from '#contract/images.ts';
import type { SummaryReply } from '#contract/metrics.ts';
import type { Result } from '#contract/results.ts';
import type { Document } from '../../src/openapi/document.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { clientTypes, typeOf } from './client-types.ts';

const ID = '00000000-0000-4000-8000-000000000001';
let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

describe('the generated client', () => {
  it('is what the document gives', async () => {
    const document = (await (await service.call('/openapi.json')).json()) as Document;
    const file = new URL('../../src/contract/api.gen.ts', import.meta.url).pathname;
    const text = await format(clientTypes(document), { ...(await resolveConfig(file)), parser: 'typescript' });
    // `vitest -u` writes it anew.
    await expect(text).toMatchFileSnapshot(file);
  });

  it('has the contract’s shapes', () => {
    expectTypeOf<generated.Batch>().toEqualTypeOf<Batch>();
    expectTypeOf<generated.Image>().toEqualTypeOf<Image>();
    expectTypeOf<generated.Project>().toEqualTypeOf<Project>();
    expectTypeOf<generated.Result>().toEqualTypeOf<Result>();
    expectTypeOf<ReplyOf<'GET /api/metrics/summary'>>().toEqualTypeOf<SummaryReply>();
    expectTypeOf<BodyOf<'POST /api/projects'>>().toEqualTypeOf<{ name: string; pixelSizeUm?: number | null }>();
    expectTypeOf<ReplyOf<'DELETE /api/projects/{id}'>>().toEqualTypeOf<undefined>();
    expect(typeOf({ anyOf: [{ type: 'integer' }, { type: 'null' }] })).toBe('number | null');
  });

  it('fills paths and leaves out what is undefined', () => {
    expect(addressOf('GET /api/projects')).toBe('/api/projects');
    expect(addressOf('GET /api/images/{id}', { path: { id: 'a/b' } })).toBe('/api/images/a%2Fb');
    const query = { limit: 5, q: 'a&b', cursor: undefined };
    expect(addressOf('GET /api/projects/{id}/images', { path: { id: ID }, query })).toBe(
      `/api/projects/${ID}/images?limit=5&q=a%26b`,
    );
    // @ts-expect-error a path that the document does not have
    expect(addressOf('GET /api/plates')).toBe('/api/plates');
    // @ts-expect-error the id is missing
    expect(addressOf('GET /api/images/{id}')).toBe('/api/images/');
    // @ts-expect-error not an order that the list has
    addressOf('GET /api/projects/{id}/images', { path: { id: ID }, query: { sort: 'size' } });
  });
});
