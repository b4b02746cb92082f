import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import { decodeBulk } from '#contract/polygons-format.ts';
import { POLYGONS_MIME, type Result, type ResultsReply } from '#contract/results.ts';
import { insertProject } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishedProject } from '../support/finished.ts';
import { UNKNOWN, send } from './support.ts';

const PATH = '/api/segmentation/batch/results';
let service: TestApp;
let imageIds: string[];
let batchId: string;
let without: string[];
beforeAll(async () => {
  service = await startTestApp();
  ({ imageIds, batchId } = await finishedProject(service.sql, 1000, 2));
  ({ imageIds: without } = await insertProject(service.sql, 2));
});
afterAll(() => service.close());

/** One body in the three forms: ids with a result, ids known without one (NDJSON leaves them out), and missing ones. */
async function ask(body: object) {
  const in3 = async (accept: string) => {
    const reply = await service.call(PATH, { method: 'POST', json: body, headers: { accept } });
    expect([accept, reply.status]).toEqual([accept, 200]);
    return reply;
  };
  const json = (await (await in3('application/json')).json()) as ResultsReply;
  const lines = (await (await in3('application/x-ndjson')).text()).trimEnd().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Result);
  const last = parsed.pop() as unknown as Pick<ResultsReply, 'missing' | 'nextCursor'>;
  const binary = decodeBulk(new Uint8Array(await (await in3(POLYGONS_MIME)).arrayBuffer()));
  const full = Object.keys(json.results).filter((id) => json.results[id] !== null);
  const forms = [
    { full, missing: json.missing, nextCursor: json.nextCursor },
    { full: parsed.map(({ imageId }) => imageId), ...last },
    {
      full: [...binary.results].filter(([, record]) => record !== null).map(([id]) => id),
      missing: binary.missing,
      nextCursor: binary.nextCursor,
    },
  ];
  for (const form of forms.slice(1)) expect(form).toEqual(forms[0]);
  const empty = Object.keys(json.results).filter((id) => json.results[id] === null);
  expect([...binary.results].filter(([, record]) => record === null).map(([id]) => id)).toEqual(empty);
  return { ...forms[0]!, empty };
}

describe('imageIds of the bulk query', () => {
  it('are 1,000 at most, and one reply without maxBytes holds them all in every form', async () => {
    const reply = await ask({ imageIds });
    expect(reply).toEqual({ full: imageIds, missing: [], nextCursor: null, empty: [] });
    const over = await send(service, 'POST', PATH, { imageIds: [...imageIds, UNKNOWN] });
    expect([over.status, over.body.code]).toEqual([400, 'VALIDATION']);
    expect(over.body.message).toBe('body.imageIds is a list of 1001: expected at most 1000 items');
  });

  it('are answered once each, in the order of the list, however often and in whatever case they are written', async () => {
    const [a, b, c] = imageIds as [string, string, string];
    const [known] = without as [string];
    const list = [b, UNKNOWN, a, known, b.toUpperCase(), UNKNOWN, known, c, a];
    expect(await ask({ imageIds: list })).toEqual({
      full: [b, a, c],
      empty: [known],
      missing: [UNKNOWN],
      nextCursor: null,
    });
  });

  it('may all be unknown, which is an answer', async () => {
    const ids = Array.from({ length: 1000 }, (_, index) => UNKNOWN.slice(0, 24) + String(index).padStart(12, '0'));
    expect(await ask({ imageIds: ids })).toEqual({ full: [], empty: [], missing: ids, nextCursor: null });
  });

  it('come from many projects in one question', async () => {
    const other = await finishedProject(service.sql, 2, 1);
    const list = [other.imageIds[0]!, imageIds[0]!, without[0]!, other.imageIds[1]!];
    expect(await ask({ imageIds: list })).toMatchObject({ full: [list[0], list[1], list[3]], empty: [list[2]] });
  });
});

describe('a batch in the bulk query', () => {
  it('is answered whole without maxBytes', async () => {
    const { full, missing, nextCursor } = await ask({ batchId });
    expect([full.toSorted(), missing, nextCursor]).toEqual([imageIds.toSorted(), [], null]);
  });

  it('is read to its end by cursors of its own only', async () => {
    const read = async (body: object) => send<ResultsReply>(service, 'POST', PATH, body);
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const { status, body }: { status: number; body: ResultsReply } = await read({
        batchId,
        maxBytes: 50_000,
        ...(cursor === null ? {} : { cursor }),
      });
      expect(status).toBe(200);
      seen.push(...Object.keys(body.results));
      cursor = body.nextCursor;
      pages++;
      if (cursor === null) break;
      const byIds = await send<ErrorBody>(service, 'POST', PATH, { imageIds, cursor });
      expect([byIds.status, byIds.body.code]).toEqual([400, 'BAD_CURSOR']);
    } while (pages < 100);
    expect(pages).toBeGreaterThan(3);
    expect(seen.toSorted()).toEqual(imageIds.toSorted());
  });
});

it.each([
  ['application/json, text/plain, */*', 'application/json'],
  ['*/*', 'application/json'],
  ['text/html', 'application/json'],
  ['application/x-ndjson, */*', 'application/x-ndjson'],
  ['APPLICATION/X-NDJSON; charset=utf-8', 'application/x-ndjson'],
  ['application/json;q=0.1, application/x-ndjson', 'application/x-ndjson'],
  ['application/x-ndjson;q=0.5, application/json', 'application/json'],
  ['application/x-ndjson;q=0.5, */*', 'application/json'],
  ['application/x-ndjson;q=0', 'application/json'],
  [`application/x-ndjson;q=0, ${POLYGONS_MIME};q=0.2`, POLYGONS_MIME],
  [`${POLYGONS_MIME};q=0.9, application/x-ndjson;q=0.9, application/json;q=0.8`, POLYGONS_MIME],
  [`application/json, ${POLYGONS_MIME}`, 'application/json'],
])('takes the form that Accept %s likes best: %s', async (accept, form) => {
  const json = { imageIds: [imageIds[0]] };
  const reply = await service.call(PATH, { method: 'POST', json, headers: { accept } });
  expect(reply.headers.get('content-type')!.split(';')[0]).toBe(form);
  expect(reply.headers.get('vary')).toContain('accept');
});
