import { expect, it } from 'vitest';
import { decodeIndex } from '#contract/index-format.ts';
import { createMockProject } from '../../../loadtest/src/stand-in/project.ts';
import { createCells } from '../../src/models/Cells.ts';
import { createImageStore } from '../../src/models/ImageStore.ts';
import { createFakeClock } from '../fake-clock.ts';

const ROW = 7;

/** Cells of finished images with thumbnails and overlays at hand, on canvases that count how often they are drawn. */
function bench() {
  const project = createMockProject(60);
  project.finish(
    project.newBatch(),
    project.images.map((_, place) => place),
  );
  const store = createImageStore();
  store.load(decodeIndex(project.index()));
  const { frames, advance } = createFakeClock();
  const at = { calm: true, thumbnails: true };
  const picture = { width: 169, height: 169 } as ImageBitmap;
  const view = { mark: 1, polygonCount: 4 } as NonNullable<ReturnType<Parameters<typeof createCells>[0]['result']>>;
  const cells = createCells({
    store,
    frames,
    result: () => view,
    thumbnail: () => (at.thumbnails ? picture : undefined),
    overlay: (_imageId, mark, size) => ({ bitmap: picture, mark, size }),
    staleOverlay: () => undefined,
    calm: () => at.calm,
    name: () => null,
    requestOverlay: () => {},
  });
  const drawn = new Map<number, number>();
  const canvases = new Map<number, HTMLCanvasElement>();
  const attach = (from: number, count = ROW): void => {
    for (let i = from; i < from + count; i++) {
      const context = { clearRect: () => drawn.set(i, (drawn.get(i) ?? 0) + 1), drawImage: () => {} };
      const canvas = { width: 169, style: { visibility: '' }, getContext: () => context };
      canvases.set(i, canvas as unknown as HTMLCanvasElement);
      cells.attach(i, canvases.get(i)!);
    }
  };
  const shown = () => [...canvases].filter(([, { style }]) => style.visibility === 'visible').map(([i]) => i);
  return { cells, attach, at, drawn, shown, advance };
}

it('paints a row that comes in during a slow scroll over some frames, and says so only then', async () => {
  const { cells, attach, drawn, shown, advance } = bench();
  attach(0);
  expect(shown()).toEqual([]);
  const counts = [];
  for (let frame = 0; frame < 5; frame++) {
    await advance(16);
    counts.push(drawn.size);
    expect(shown()).toHaveLength(drawn.size);
  }
  expect(counts).toEqual([2, 4, 6, 7, 7]);
  expect(cells.state(0).value.drawnPolygons).not.toBeNull();
});

it('lets none of a long row wait when the next one comes', async () => {
  const { attach, drawn, advance } = bench();
  attach(0, 40);
  await advance(96);
  expect(drawn.size).toBeGreaterThan(30);
});

it('paints at once what has nothing to show yet, and what stays in view', () => {
  const { cells, attach, at, drawn, shown } = bench();
  at.thumbnails = false;
  attach(0);
  expect(shown()).toHaveLength(ROW);
  at.thumbnails = true;
  attach(ROW);
  cells.settle(Array.from({ length: 2 * ROW }, (_, i) => i));
  expect(shown()).toHaveLength(2 * ROW);
  expect(drawn.size).toBe(2 * ROW);
});

it('does not draw again what is drawn whole when the list comes to rest', async () => {
  const { cells, attach, drawn, advance } = bench();
  attach(0);
  await advance(100);
  cells.settle([0, 1, 2, 3, 4, 5, 6]);
  expect([...drawn.values()]).toEqual(Array.from({ length: ROW }, () => 1));
});

it('paints nothing that waited while cells rush by', async () => {
  const { attach, at, drawn, advance } = bench();
  attach(0);
  at.calm = false;
  attach(ROW);
  await advance(200);
  expect(drawn.size).toBe(0);
});
