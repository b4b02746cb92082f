import { describe, expect, it } from 'vitest';
import { encodeBulkHeader, encodeBulkResult, encodeBulkTrailer, encodePolygons } from '#contract/polygons-format.ts';
import type { Api } from '../../../src/models/api.ts';
import { bestLod, levelFor, levelWidths, lodFor } from '../../../src/models/viewer/levels.ts';
import { createPicture } from '../../../src/models/viewer/Picture.ts';
import { createStage } from '../../../src/models/viewer/Stage.ts';
import { createViewing, type ViewingDeps } from '../../../src/models/viewer/Viewing.ts';
import type { Surfaces } from '../../../src/raster/surfaces.ts';
import type { Viewport } from '../../../src/models/viewer/viewport.ts';
import { createFakeClock } from '../../fake-clock.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('levels', () => {
  it('are powers of two up to the picture itself, or to where its parts begin', () => {
    expect(levelWidths({ width: 300, height: 200 })).toEqual([300]);
    expect(levelWidths({ width: 2000, height: 1000 })).toEqual([512, 1024, 2000]);
    expect(levelWidths({ width: 4096, height: 4096 })).toEqual([512, 1024, 2048, 4096]);
    expect(levelWidths({ width: 8000, height: 4000 })).toEqual([512, 1024, 2048]);
    expect(levelWidths({ width: 2000, height: 8000 })).toEqual([512]);
  });
  it('are as sharp as the screen needs', () => {
    const image = { width: 8000, height: 4000 };
    expect([100, 513, 1024, 5000].map((pixels) => levelFor(image, pixels))).toEqual([512, 1024, 1024, 2048]);
  });
  it('take coarse outlines while their error is below a pixel', () => {
    expect([0.1, 0.33, 0.5, 0.67, 1, 8].map(lodFor)).toEqual(['low', 'low', 'medium', 'high', 'high', 'high']);
    expect(bestLod('low', ['high'])).toBe('high');
    expect(bestLod('high', ['low', 'medium'])).toBe('medium');
    expect(bestLod('low', [])).toBeNull();
  });
});

describe('createPicture', () => {
  function setUp(fails: (width: number) => boolean = () => false) {
    const asked: number[] = [];
    const closed: number[] = [];
    const failures: unknown[] = [];
    const picture = createPicture({
      image: { width: 4000, height: 4000 },
      async load(width) {
        asked.push(width);
        await tick();
        if (fails(width)) throw new Error('no');
        return { close: () => void closed.push(width) };
      },
      onChange: () => {},
      onFailed: (cause) => failures.push(cause),
    });
    const settle = async () => {
      for (let i = 0; i < 8; i++) await tick();
    };
    return { picture, asked, closed, failures, settle };
  }
  it('shows a preview, then what the screen needs, and closes what it replaces', async () => {
    const { picture, asked, closed, settle } = setUp();
    picture.need(900);
    picture.need(1900);
    await settle();
    expect(asked).toEqual([160, 2048]);
    expect([picture.best?.width, closed]).toEqual([2048, [160]]);
    picture.need(500);
    await settle();
    expect(asked).toHaveLength(2);
    picture.stop();
    expect(closed).toEqual([160, 2048]);
  });

  it('goes on when the preview is missing, and tells what could not be had, once', async () => {
    const lost = setUp((width) => width === 160);
    lost.picture.need(900);
    await lost.settle();
    expect([lost.asked, lost.failures]).toEqual([[160, 1024], []]);
    const gone = setUp((width) => width === 1024);
    gone.picture.need(900);
    await gone.settle();
    expect([gone.asked, gone.failures.length, gone.picture.best?.width]).toEqual([[160, 1024], 1, 160]);
  });
});

describe('createStage', () => {
  function setUp() {
    const { clock, advance } = createFakeClock();
    const drawn: Viewport[] = [];
    let placed = '';
    let release: (() => void) | null = null;
    let held = false;
    const stage = createStage({
      clock,
      image: () => ({ width: 3000, height: 3000 }),
      async draw(view, _, shown) {
        drawn.push(view);
        if (held) await new Promise<void>((resolve) => (release = resolve));
        shown();
      },
      place: (css) => (placed = css),
    });
    return {
      stage,
      advance,
      drawn,
      placed: () => placed,
      hold: () => (held = true),
      letGo: async () => {
        held = false;
        release?.();
        await advance(0);
      },
    };
  }
  it('moves what is drawn with each step of a pan, and draws once it rests', async () => {
    const { stage, advance, drawn, placed } = setUp();
    stage.resize({ width: 600, height: 600 });
    await advance(0);
    stage.zoomAt(5, [300, 300]);
    await advance(100);
    const before = drawn.length;
    for (let step = 0; step < 10; step++) {
      stage.panBy(-5, 0);
      await advance(16);
    }
    expect(placed()).toBe('translate(-50px, 0px) scale(1)');
    expect(drawn).toHaveLength(before);
    await advance(200);
    expect(drawn).toHaveLength(before + 1);
    expect(placed()).toBe('translate(0px, 0px) scale(1)');
  });

  it('draws on the way when the margin is used up, one at a time, the latest view last', async () => {
    const { stage, advance, drawn, hold, letGo } = setUp();
    stage.resize({ width: 600, height: 600 });
    stage.zoomAt(5, [300, 300]);
    await advance(200);
    const before = drawn.length;
    hold();
    for (let step = 0; step < 10; step++) {
      stage.panBy(-100, 0);
      await advance(16);
    }
    expect(drawn).toHaveLength(before + 1);
    await letGo();
    await advance(200);
    expect(drawn.at(-1)).toEqual(stage.view.value);
    expect(drawn.length).toBeLessThanOrEqual(before + 3);
  });

  it('keeps showing all of the image when the window changes, unless it was zoomed', async () => {
    const { stage, advance } = setUp();
    stage.resize({ width: 600, height: 600 });
    stage.resize({ width: 300, height: 600 });
    expect([stage.view.value.scale, stage.isFit()]).toEqual([0.1, true]);
    stage.zoom(4);
    stage.resize({ width: 900, height: 900 });
    await advance(0);
    expect(stage.view.value.scale).toBeCloseTo(0.4, 9);
    stage.fit();
    expect(stage.view.value.scale).toBeCloseTo(0.3, 9);
  });
});

describe('createViewing', () => {
  const ids = Array.from({ length: 9 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`);
  type More = { api?: object; painter?: Partial<ViewingDeps['painter']>; loadPicture?: ViewingDeps['loadPicture'] };
  function setUp(more: More = {}) {
    const { clock, advance } = createFakeClock();
    const reads: string[] = [];
    const gone: string[] = [];
    const call = async (route: string, { path }: { path: { id: string } }) => {
      if (route === 'GET /api/projects/{id}') return { pixelSizeUm: null };
      reads.push(path.id);
      return { id: path.id, projectId: 'p', name: path.id, width: 100, height: 100, status: 'completed' };
    };
    const viewing = createViewing({
      api: { call, ...more.api } as unknown as Api,
      imageId: ids[0]!,
      clock,
      storage: { getItem: () => JSON.stringify({ projectId: 'p', ids }) } as unknown as Storage,
      ratio: () => 1,
      painter: { shapes: () => {}, keepOnly: () => {}, draw: async () => null, ...more.painter },
      loadPicture: more.loadPicture ?? (() => new Promise(() => {})),
      loadPart: () => new Promise(() => {}),
      onGo: (id) => gone.push(id),
    });
    return { viewing, advance, reads, gone };
  }

  it('goes as far as a held key says, reads where it stops, and shows the image before until then', async () => {
    const { viewing, advance, reads, gone } = setUp();
    await viewing.start();
    expect(viewing.around.value).toMatchObject({ previous: null, next: ids[1] });
    for (let press = 0; press < 6; press++) {
      viewing.go(viewing.around.value.next);
      expect(viewing.viewer.value.imageId).toBe(ids[press === 0 ? 0 : 1]);
      await advance(30);
    }
    await advance(1000);
    expect(gone).toEqual(ids.slice(1, 7));
    expect(reads).toEqual([ids[0], ids[1], ids[6]]);
    expect([viewing.viewer.value.imageId, viewing.around.value.next]).toEqual([ids[6], ids[7]]);
    viewing.stop();
  });

  it('says which image came by a key, and nothing of the one that the page was opened with', async () => {
    const { viewing, advance } = setUp();
    await viewing.start();
    await advance(1000);
    expect(viewing.live.message.value).toBe('');
    viewing.go(ids[1]!);
    await advance(1000);
    expect(viewing.live.message.value).toBe(`${ids[1]}: done`);
    viewing.stop();
  });

  it('reads its image anew when asked to, and keeps what it shows where that fails', async () => {
    const image = { id: ids[0]!, projectId: 'p', name: 'a', width: 100, height: 100, status: 'completed' };
    let lost = false;
    const call = async (route: string) => {
      if (lost) throw new Error('nobody answers');
      return route === 'GET /api/projects/{id}' ? { pixelSizeUm: null } : image;
    };
    const { viewing } = setUp({ api: { call } });
    await viewing.start();
    const first = viewing.viewer.value;
    first.tell(new Error('a part is missing'));
    lost = true;
    await viewing.again();
    expect([viewing.viewer.value === first, first.error.value]).toEqual([true, 'a part is missing']);
    lost = false;
    await viewing.again();
    expect([viewing.viewer.value === first, viewing.viewer.value.error.value]).toEqual([false, null]);
    viewing.stop();
  });

  it('draws the picture and its outlines before its project is known', async () => {
    const image = { id: ids[0]!, projectId: 'p', name: 'a', width: 100, height: 100 };
    const pictures: string[] = [];
    const bulk = [
      encodeBulkHeader(),
      encodeBulkResult({ imageId: image.id, polygonCount: 0 }, encodePolygons([])),
      encodeBulkTrailer({ missing: [], nextCursor: null }),
    ];
    /** As the worker does. */
    const held = new Set<string>();
    const drawn: [key: string, isHere: boolean][] = [];
    const { viewing } = setUp({
      api: {
        call: async (route: string) => (route === 'GET /api/projects/{id}' ? new Promise(() => {}) : image),
        bytes: async () => new Uint8Array(Buffer.concat(bulk)),
      },
      painter: {
        shapes: (key) => void held.add(key),
        keepOnly: (imageId) => held.forEach((key) => key.startsWith(`${imageId} `) || held.delete(key)),
        draw: async ({ key }) => (drawn.push([key, held.has(key)]), null),
      },
      loadPicture: (imageId) => (pictures.push(imageId), new Promise(() => {})),
    });
    const nothing = () => {};
    const surfaces = { place: nothing, begin: nothing, picture: nothing, part: nothing, overlay: nothing };
    void viewing.start();
    await tick();
    viewing.attach({ ...surfaces, marks: nothing } satisfies Surfaces);
    viewing.stage.resize({ width: 80, height: 80 });
    await tick();
    expect(pictures).toEqual([image.id]);
    expect(new Set(drawn.map(([, isHere]) => isHere))).toEqual(new Set([true]));
    viewing.stop();
  });
});
