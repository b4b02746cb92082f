import { signal } from '@preact/signals';
import { decodeBulk } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { Image } from '#contract/images.ts';
import type { Lod } from '#contract/results.ts';
import { WORDS } from '../../words/viewer.ts';
import { boxOf, readShapes, shapeAt, type Shapes } from '../../raster/shapes.ts';
import type { Api } from '../api.ts';
import { bestLod } from './levels.ts';
import { isUnlike } from '../result-cache.ts';
import type { Box } from './viewport.ts';

export interface ViewerFacts {
  cells: number;
  /** Name and version, with a word for a simulated one. */
  model: string;
  threshold: number | null;
  unlike: boolean;
}
/** One polygon as it is told of. */
export interface Outline {
  index: number;
  id: number;
  internal: boolean;
  area: number;
  confidence: number;
}
const LODS: readonly Lod[] = ['low', 'medium', 'high'];

/** One image, its result in the levels of detail that were needed, and what of it is pointed at and chosen. */
export function createViewer(deps: {
  api: Api;
  imageId: string;
  /** Outlines for whoever draws them. */
  onShapes: (lod: Lod, bytes: Uint8Array<ArrayBuffer>) => void;
}) {
  const { api, imageId } = deps;
  const image = signal<Image | null>(null);
  /** Of a side; null where the project has none, undefined until it has been read. */
  const pixelSizeUm = signal<number | null | undefined>(undefined);
  const facts = signal<ViewerFacts | null>(null);
  const error = signal<string | null>(null);
  /** The finest that is here; polygons have the same places in all of them. */
  const shapes = signal<Shapes | null>(null);
  const hovered = signal(-1);
  const selected = signal(-1);
  const here: Lod[] = [];
  const asked = new Set<Lod>();
  let none = false;

  async function readLod(lod: Lod): Promise<void> {
    if (asked.has(lod) || none) return;
    asked.add(lod);
    const body = { imageIds: [imageId], lod };
    const bytes = await api.bytes('POST /api/segmentation/batch/results', { body, accept: POLYGONS_MIME });
    const found = decodeBulk(bytes).results.get(imageId);
    if (!found) return void (none = true);
    const { polygonCount = 0, model = '', modelVersion = '', threshold = null, warnings } = found.meta;
    facts.value = {
      cells: polygonCount,
      model: `${model} ${modelVersion}`.trim() + (modelVersion.includes('-sim-') ? ` ${WORDS.facts.simulated}` : ''),
      threshold,
      unlike: isUnlike(warnings),
    };
    const polygons = found.polygons.slice();
    if (here.every((known) => LODS.indexOf(known) < LODS.indexOf(lod))) shapes.value = readShapes(polygons);
    here.push(lod);
    deps.onShapes(lod, polygons);
  }
  async function readPixelSize({ projectId }: Image): Promise<number | null> {
    const project = await api.call('GET /api/projects/{id}', { path: { id: projectId } });
    return (pixelSizeUm.value = project.pixelSizeUm);
  }
  function tell(cause: unknown): void {
    error.value = cause instanceof Error ? cause.message : String(cause);
  }
  const outline = (index: number): Outline | null => {
    const known = shapes.value;
    if (!known || index < 0 || index >= known.count) return null;
    const [id, area, confidence] = [known.ids[index]!, known.areas[index]!, known.confidences[index]!];
    return { index, id, internal: known.internal[index] === 1, area, confidence };
  };
  return {
    imageId,
    image,
    pixelSizeUm,
    facts,
    error,
    shapes,
    hovered,
    selected,
    outline,
    tell,
    async start(): Promise<void> {
      try {
        image.value = await api.call('GET /api/images/{id}', { path: { id: imageId } });
        // Neither the picture nor what comes before and after waits for it.
        void readPixelSize(image.value).catch(tell);
      } catch (cause) {
        tell(cause);
      }
    },
    /** For what is kept: waits where `pixelSizeUm` is not known yet. @throws ApiError */
    async pixelSizeOf(of: Image): Promise<number | null> {
      const known = pixelSizeUm.peek();
      return known === undefined ? await readPixelSize(of) : known;
    },
    /** Asks for a level of detail, once. @returns the best one that is here now */
    needLod(lod: Lod): Lod | null {
      if (image.peek()) void readLod(lod).catch(tell);
      return bestLod(lod, here);
    },
    /** The polygon at a point of the image, or -1. */
    at: ([x, y]: readonly [number, number]): number => (shapes.peek() ? shapeAt(shapes.peek()!, x, y) : -1),
    boxOf: (index: number): Box | null => (shapes.peek() && index >= 0 ? boxOf(shapes.peek()!, index) : null),
    select(index: number): void {
      selected.value = index;
    },
  };
}
export type Viewer = ReturnType<typeof createViewer>;

export const OUTLINE_ORDERS = ['id', 'area', 'confidence'] as const;
export type OutlineOrder = (typeof OUTLINE_ORDERS)[number];
/** Places of all polygons in an order for the list. */
export function orderOutlines(shapes: Shapes, order: OutlineOrder): Int32Array {
  const places = Int32Array.from({ length: shapes.count }, (_, i) => i);
  if (order === 'area') return places.sort((a, b) => shapes.areas[b]! - shapes.areas[a]! || a - b);
  if (order === 'confidence') return places.sort((a, b) => shapes.confidences[a]! - shapes.confidences[b]! || a - b);
  return places;
}
