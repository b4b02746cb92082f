import { describe, expect, it } from 'vitest';
import { encodeBulkHeader, encodeBulkResult, encodeBulkTrailer } from '#contract/polygons-bulk.ts';
import { decodeIndex } from '#contract/index-format.ts';
import { createApi } from '../../../src/models/api.ts';
import { createImageStore } from '../../../src/models/ImageStore.ts';
import { createResultSource } from '../../../src/models/gallery/ResultSource.ts';
import { createMockProject } from '../../../../loadtest/src/stand-in/project.ts';

const BATCH = '11111111-1111-4111-8111-111111111111';

interface Asked {
  body: { imageIds?: string[]; batchId?: string; cursor?: string; maxBytes?: number };
  /** Sends bytes of the reply. */
  send: (bytes: Uint8Array) => Promise<void>;
  end: (nextCursor?: string) => Promise<void>;
  cut: () => Promise<void>;
}

/** A gallery whose images 3 and 5 are visible, all of them completed, and a service that answers byte by byte as it is told. */
function open(count: number) {
  const project = createMockProject(count);
  const store = createImageStore();
  store.load(decodeIndex(project.index()));
  for (let i = 0; i < count; i++)
    store.apply({ seq: i + 1, imageId: project.images[i]!.id, batchId: BATCH, status: 'completed' });
  const asked: Asked[] = [];
  const shown: number[][] = [];
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
  const fetch = async (_url: string, init?: RequestInit): Promise<Response> => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
    controller.enqueue(encodeBulkHeader());
    asked.push({
      body: JSON.parse(init!.body as string) as Asked['body'],
      send: (bytes) => (controller.enqueue(bytes), turn()),
      end: (nextCursor) => {
        controller.enqueue(encodeBulkTrailer({ missing: [], nextCursor: nextCursor ?? null }));
        controller.close();
        return turn();
      },
      cut: () => (controller.error(new TypeError('network error')), turn()),
    });
    return new Response(stream);
  };
  const { source } = createResultSource({
    api: createApi({ fetch, onSignedOut: () => {} }),
    store,
    visible: () => [3, 5],
    batchOpen: () => false,
    onResults: (positions) => shown.push(positions),
    onRead: () => shown.push([]),
  });
  const result = (i: number) => encodeBulkResult({ imageId: project.images[i]!.id, polygonCount: 1 }, Uint8Array.of(1));
  return { source, store, asked, shown, turn, result, idAt: (i: number) => project.images[i]!.id };
}

describe('createResultSource', () => {
  it('names all of a batch in one request, what is visible first', async () => {
    const { source, asked, turn, idAt } = open(8);
    void source.fetchPage(BATCH, null);
    await turn();
    expect(asked.map(({ body }) => body.imageIds)).toEqual([[3, 5, 0, 1, 2, 4, 6, 7].map(idAt)]);
  });

  it('shows what is here before the rest of the reply is', async () => {
    const { source, asked, shown, turn, result } = open(8);
    const over = source.fetchPage(BATCH, null);
    await turn();
    await asked[0]!.send(result(3));
    expect(shown).toEqual([[3]]);
    expect(source.visibleNeeds()).toEqual([5]);
    await asked[0]!.send(result(5).subarray(0, 20));
    expect(shown).toEqual([[3]]);
    await asked[0]!.send(result(5).subarray(20));
    expect(shown).toEqual([[3], [5]]);
    await asked[0]!.end();
    expect(await over).toBeNull();
    expect(shown).toEqual([[3], [5], []]);
    expect(source.batchNeeds(BATCH)).toBe(6);
  });

  it('keeps what came before a reply was cut, says so, and asks for the rest alone', async () => {
    const { source, asked, shown, turn, result, idAt } = open(4);
    const failed = source.fetchPage(BATCH, null).catch((error: unknown) => error);
    await turn();
    await asked[0]!.send(result(3));
    await asked[0]!.cut();
    expect(await failed).toMatchObject({ code: 'NETWORK' });
    expect(shown).toEqual([[3], []]);
    void source.fetchPage(BATCH, null);
    await turn();
    expect(asked[1]!.body.imageIds).toEqual([0, 1, 2].map(idAt));
  });

  it('shows what stood before the damage in the same piece', async () => {
    const { source, asked, shown, turn, result } = open(8);
    const failed = source.fetchPage(BATCH, null).catch((error: unknown) => String(error));
    await turn();
    const damaged = result(5);
    damaged[20]! ^= 1;
    const both = new Uint8Array([...result(3), ...damaged]);
    await asked[0]!.send(both);
    expect(await failed).toMatch(/damaged/);
    expect(shown).toEqual([[3], []]);
  });

  it('goes on with the same ids where a reply ended early', async () => {
    const { source, asked, turn, result } = open(8);
    const over = source.fetchPage(BATCH, null);
    await turn();
    await asked[0]!.send(result(3));
    await asked[0]!.end('more');
    expect(await over).toBe('more');
    void source.fetchPage(BATCH, 'more');
    await turn();
    expect(asked[1]!.body).toEqual({ ...asked[0]!.body, cursor: 'more' });
  });

  it('names the batch where it has more images than one request can name', async () => {
    const { source, asked, turn } = open(1001);
    void source.fetchPage(BATCH, null);
    await turn();
    expect(asked[0]!.body).toMatchObject({ batchId: BATCH });
    expect(asked[0]!.body.imageIds).toBeUndefined();
  });
});
