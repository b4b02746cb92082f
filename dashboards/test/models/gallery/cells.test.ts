import { expect, it } from 'vitest';
import { decodeIndex } from '#contract/index-format.ts';
import { createMockProject } from '../../../../loadtest/src/stand-in/project.ts';
import { createCells } from '../../../src/models/gallery/Cells.ts';
import { createImageStore } from '../../../src/models/ImageStore.ts';
import { createFakeClock } from '../../fake-clock.ts';

const ROW = 7;
const PITCH = 179;

const newPicture = () => ({ width: 169, height: 169 }) as ImageBitmap;

type Present = (draw: Parameters<Parameters<typeof createCells>[0]['present']>[1]) => void;

/** Cells of finished images with thumbnails and overlays at hand, on canvases that tell what is drawn where. */
function bench() {
  const project = createMockProject(60);
  project.finish(
    project.newBatch(),
    project.images.map((_, place) => place),
  );
  const store = createImageStore();
  store.load(decodeIndex(project.index()));
  const { frames, advance } = createFakeClock();
  const at = { calm: true, thumbnails: true, overlays: true, picture: newPicture() };
  const view = { mark: 1, polygonCount: 4 } as NonNullable<ReturnType<Parameters<typeof createCells>[0]['result']>>;
  const rowOf = new Map<HTMLCanvasElement, { from: number; style: { visibility: string }; present: Present }>();
  /** By position: how often its picture was drawn. */
  const drawn = new Map<number, number>();
  const cells = createCells({
    store,
    // As in a hidden tab: no frame comes.
    frames: { ...frames, requestFrame: () => 0 },
    result: () => view,
    thumbnail: () => (at.thumbnails ? at.picture : undefined),
    overlay: (_imageId, mark, size) => (at.overlays ? { bitmap: at.picture, mark, size } : undefined),
    staleOverlay: () => undefined,
    calm: () => at.calm,
    name: () => null,
    requestOverlay: () => {},
    present: (canvas, draw) => rowOf.get(canvas)!.present(draw),
  });
  const rows = { presents: 0, last: undefined as HTMLCanvasElement | undefined };
  /** On `used`, a canvas of another row; else on a new one. */
  const attach = (from: number, count = ROW, used?: HTMLCanvasElement): (() => void) => {
    const indexes = Array.from({ length: count }, (_, n) => from + n);
    const style = { visibility: '' };
    const canvas = used ?? ({ width: count * PITCH - 10, height: 169, style } as unknown as HTMLCanvasElement);
    rows.last = canvas;
    const present: Present = (draw) => {
      rows.presents++;
      const lefts = new Set<number>();
      draw({ drawImage: (_bitmap: unknown, left: number) => void lefts.add(left) });
      for (const left of lefts) drawn.set(from + left / PITCH, (drawn.get(from + left / PITCH) ?? 0) + 1);
    };
    rowOf.set(canvas, { from, style, present });
    return cells.attach(indexes, canvas, PITCH);
  };
  const shown = () => [...rowOf.values()].filter(({ style }) => style.visibility === 'visible').map(({ from }) => from);
  return { cells, attach, at, drawn, rows, shown, advance };
}

it('paints a row that comes in during a slow scroll a moment later, out of sight until then, and says so only then', async () => {
  const { cells, attach, drawn, shown, advance } = bench();
  attach(0);
  expect(shown()).toEqual([]);
  expect(drawn.size).toBe(0);
  expect(cells.state(0).value.drawnPolygons).toBeNull();
  await advance(60);
  expect(shown()).toEqual([0]);
  expect(drawn.size).toBe(ROW);
  expect(cells.state(0).value.drawnPolygons).toBe(4);
  await advance(100);
  expect(drawn.get(0)).toBe(1);
});

it('paints a row once for all that comes for it in a moment', async () => {
  const { cells, attach, at, drawn, advance } = bench();
  at.thumbnails = false;
  attach(0);
  attach(ROW);
  drawn.clear();
  at.thumbnails = true;
  for (let i = 0; i < ROW; i++) {
    cells.paintSoon(i);
    await advance(5);
  }
  expect(drawn.size).toBe(0);
  await advance(60);
  expect([...drawn]).toEqual(Array.from({ length: ROW }, (_, i) => [i, 1]));
  cells.paint([0, 3, ROW]);
  expect(drawn.get(ROW + 6)).toBe(1);
});

it('need not wait where nothing else comes', async () => {
  const { cells, attach, at, drawn, advance } = bench();
  at.thumbnails = at.overlays = false;
  attach(0);
  at.thumbnails = true;
  cells.paintSoon(3);
  cells.paintWaiting();
  expect(drawn.get(3)).toBe(1);
  at.picture = newPicture();
  await advance(20);
  cells.paintSoon(4);
  await advance(60);
  expect(drawn.get(4)).toBe(2);
});

it('draws a row again only where another picture has come, or its canvas still shows other images', async () => {
  const { cells, attach, at, drawn, advance, rows } = bench();
  const places = Array.from({ length: ROW }, (_, i) => i);
  const take = attach(0);
  cells.settle(places);
  await advance(100);
  cells.paint(places);
  expect(rows.presents).toBe(1);
  at.picture = newPicture();
  cells.paint([3]);
  cells.paint([4]);
  expect(rows.presents).toBe(2);
  expect(drawn.get(4)).toBe(2);
  take();
  at.thumbnails = at.overlays = false;
  attach(ROW, ROW, rows.last);
  expect(rows.presents).toBe(3);
  attach(2 * ROW);
  expect(rows.presents).toBe(3);
});

it('paints at once what has nothing to show yet, and what stays in view', () => {
  const { cells, attach, at, drawn, shown } = bench();
  at.thumbnails = false;
  attach(0);
  expect(shown()).toEqual([0]);
  at.thumbnails = true;
  attach(ROW);
  cells.settle(Array.from({ length: 2 * ROW }, (_, i) => i));
  expect(shown()).toEqual([0, ROW]);
  expect(drawn.size).toBe(2 * ROW);
});

it('does not draw again what is drawn whole when the list comes to rest', async () => {
  const { cells, attach, drawn, advance } = bench();
  attach(0);
  await advance(100);
  attach(ROW);
  cells.settle(Array.from({ length: 2 * ROW }, (_, i) => i));
  await advance(100);
  expect([...drawn.values()]).toEqual(Array.from({ length: 2 * ROW }, () => 1));
});

it('paints nothing that waited while cells rush by', async () => {
  const { cells, attach, at, drawn, advance } = bench();
  attach(0);
  at.calm = false;
  attach(ROW);
  cells.paintSoon(ROW);
  await advance(200);
  expect(drawn.size).toBe(0);
});

it('paints what rushed by and came back once the list rests there again', () => {
  const { cells, attach, at, drawn, shown } = bench();
  const places = Array.from({ length: ROW }, (_, i) => i);
  const take = attach(0);
  cells.settle(places);
  take();
  at.calm = false;
  attach(0);
  expect(shown()).toEqual([0]);
  cells.settle(places);
  expect(shown()).toEqual([0, 0]);
  expect(drawn.get(0)).toBe(2);
});

it('paints nothing on a canvas that has been taken away', async () => {
  const { cells, attach, drawn, shown, advance } = bench();
  const takeSeen = attach(0);
  cells.settle([0]);
  const takeWaiting = attach(ROW);
  drawn.clear();
  takeSeen();
  takeWaiting();
  cells.paint([0]);
  cells.paintSoon(1);
  await advance(100);
  expect(drawn.size).toBe(0);
  expect(shown()).toEqual([0]);
});
