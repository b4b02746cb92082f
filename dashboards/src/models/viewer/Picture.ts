import { levelFor, levelWidths, PREVIEW_WIDTH } from './levels.ts';

interface Level<T> {
  width: number;
  picture: T;
}

/**
 * The picture of one image, as sharp as it is looked at: a preview, then the level that the screen needs, one at a time. A coarser one
 * is closed once a finer one is here; a finer one stays when it is zoomed out.
 */
export function createPicture<T extends { close(): void }>(deps: {
  image: { width: number; height: number };
  load: (width: number, signal: AbortSignal) => Promise<T>;
  onChange: () => void;
  onFailed: (cause: unknown) => void;
}) {
  const { image } = deps;
  const least = Math.min(PREVIEW_WIDTH, levelWidths(image)[0]!);
  let best: Level<T> | null = null;
  let wanted = 0;
  let loading: { width: number; abort: AbortController } | null = null;
  let stopped = false;
  let failed = 0;

  async function load(width: number): Promise<void> {
    const abort = new AbortController();
    loading = { width, abort };
    try {
      const picture = await deps.load(width, abort.signal);
      if (stopped || (best && best.width >= width)) picture.close();
      else {
        best?.picture.close();
        best = { width, picture };
        deps.onChange();
      }
    } catch (cause) {
      if (!abort.signal.aborted) {
        failed = width;
        // A preview that is missing is no loss while the picture itself comes.
        if (width !== least || wanted <= least) deps.onFailed(cause);
      }
    } finally {
      loading = null;
      next();
    }
  }
  function next(): void {
    if (stopped || loading || (best && best.width >= wanted) || failed === wanted) return;
    void load(best || failed === least ? wanted : least);
  }
  return {
    get best() {
      return best;
    },
    /** `pixels`: of the screen, for the whole width of the image. */
    need(pixels: number): void {
      wanted = Math.max(wanted, levelFor(image, pixels));
      next();
    },
    stop(): void {
      stopped = true;
      loading?.abort.abort();
      best?.picture.close();
      best = null;
    },
  };
}
