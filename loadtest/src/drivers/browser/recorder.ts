/** What a visible cell showed: image id, status, polygons drawn (null: no overlay). */
export type CellShown = readonly [imageId: string, status: string, polygonCount: number | null];

/** The page as presented while its progress bar stood at its end. */
export interface ShownState {
  /** Page clock (`performance.now`), ms: when the frame that showed this had been rendered. */
  at: number;
  batchId: string | null;
  total: number;
  cells: CellShown[];
}
export interface SweepRecord {
  intervals: number[];
  /** Every cell that came by, with the last status it showed. */
  cells: [imageId: string, status: string][];
}
export interface RecorderDump {
  now: number;
  /** Spans of DOM mutations, merged where they are less than 50 ms apart. */
  mutations: [from: number, to: number][];
  /** Long animation frames: start, duration, blocking time. */
  longFrames: [start: number, duration: number, blocking: number][];
  toasts: { at: number; key: string | null }[];
  states: ShownState[];
  interactions: { at: number; name: string; duration: number }[];
  domNodesMax: number;
  /** Page clock of the change that put the first cell of an image into the page. */
  firstCellAt: number | null;
}
export interface Recorder {
  arm(total: number): void;
  disarm(): void;
  /** Milliseconds since the last mutation or long frame: cheap enough to ask of a busy page. */
  quietMs(): number;
  dump(): RecorderDump;
  /** Page clock of the first contentful paint. The browser tells of it later than it shows it: null when it has not within the time. */
  firstPaint(timeoutMs: number): Promise<number | null>;
  sweep(durationMs: number, forward: boolean): Promise<SweepRecord>;
  /** From end to end, a screen at a time, as fast as screens are drawn: no cell is flown over. */
  walk(): Promise<SweepRecord['cells']>;
}

declare global {
  interface Window {
    segbenchRecorder?: Recorder;
  }
}

/**
 * Runs in the page, before its scripts, so it may use nothing from outside its own body. It only observes; between `arm` and
 * `disarm` it looks at the progress bar once a frame, and at the cells only while the bar stands at its end.
 */
export function installRecorder(): void {
  if (window.segbenchRecorder || window !== window.top) return;
  const mutations: [number, number][] = [];
  const longFrames: [number, number, number][] = [];
  const toasts: { at: number; key: string | null }[] = [];
  const states: ShownState[] = [];
  const interactions: { at: number; name: string; duration: number }[] = [];
  const seenToasts = new WeakSet<Node>();
  let firstContentfulPaint: number | null = null;
  const awaitingPaint: ((at: number | null) => void)[] = [];
  let domNodesMax = 0;
  let firstCellAt: number | null = null;
  let armedFor: number | null = null;
  let lastSignature = '';

  const addToast = (node: Element): void => {
    if (seenToasts.has(node)) return;
    seenToasts.add(node);
    toasts.push({ at: performance.now(), key: node.getAttribute('data-toast') });
  };
  const addToastsIn = (node: Node): void => {
    if (!(node instanceof Element)) return;
    if (node.hasAttribute('data-toast')) addToast(node);
    if (node.firstElementChild) for (const inner of node.querySelectorAll('[data-toast]')) addToast(inner);
  };
  const onMutations = (records: MutationRecord[]): void => {
    const now = performance.now();
    const last = mutations.at(-1);
    if (last && now - last[1] < 50) last[1] = now;
    else mutations.push([now, now]);
    if (firstCellAt === null && document.querySelector('[data-image-id]')) firstCellAt = now;
    for (const record of records) {
      if (record.type === 'attributes' && record.attributeName === 'data-toast') addToast(record.target as Element);
      for (const node of record.addedNodes) addToastsIn(node);
    }
  };
  new MutationObserver(onMutations).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });

  const observe = (type: string, options: object, onEntry: (entry: PerformanceEntry) => void): void => {
    if (!PerformanceObserver.supportedEntryTypes.includes(type)) return;
    new PerformanceObserver((list) => list.getEntries().forEach(onEntry)).observe({ type, buffered: true, ...options });
  };
  observe('long-animation-frame', {}, (entry) => {
    const { blockingDuration } = entry as PerformanceEntry & { blockingDuration: number };
    longFrames.push([entry.startTime, entry.duration, blockingDuration]);
  });
  observe('paint', {}, (entry) => {
    if (entry.name !== 'first-contentful-paint') return;
    firstContentfulPaint = entry.startTime;
    for (const resolve of awaitingPaint.splice(0)) resolve(firstContentfulPaint);
  });
  observe('event', { durationThreshold: 16 }, (entry) => {
    const { interactionId } = entry as PerformanceEntry & { interactionId?: number };
    if (interactionId) interactions.push({ at: entry.startTime, name: entry.name, duration: entry.duration });
  });

  const cellsShown = (): CellShown[] => {
    const shown: CellShown[] = [];
    for (const cell of document.querySelectorAll('[data-image-id]')) {
      const box = cell.getBoundingClientRect();
      if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) continue;
      const overlay = cell.hasAttribute('data-polygon-count') ? cell : cell.querySelector('[data-polygon-count]');
      const count = overlay?.getAttribute('data-polygon-count') ?? '';
      const status = cell.getAttribute('data-status') ?? '';
      shown.push([cell.getAttribute('data-image-id') ?? '', status, count === '' ? null : Number(count)]);
    }
    return shown;
  };
  // A message posted from a frame callback is handled after that frame has been rendered.
  const rendered = new MessageChannel();
  const waiting: ((at: number) => void)[] = [];
  rendered.port1.onmessage = () => {
    const at = performance.now();
    for (const resolve of waiting.splice(0)) resolve(at);
  };
  const look = (): void => {
    if (armedFor === null) return;
    requestAnimationFrame(look);
    for (const bar of document.querySelectorAll('[role=progressbar]')) {
      const total = Number(bar.getAttribute('aria-valuemax'));
      if (total !== armedFor || Number(bar.getAttribute('aria-valuenow')) !== total) continue;
      const state = { at: 0, batchId: bar.getAttribute('data-batch-id'), total, cells: cellsShown() };
      const signature = JSON.stringify(state);
      if (signature === lastSignature) return;
      lastSignature = signature;
      waiting.push((at) => {
        states.push({ ...state, at });
        // Only what came after the last wrong state counts, so the oldest may go.
        if (states.length > 300) states.shift();
      });
      rendered.port2.postMessage(0);
      return;
    }
    lastSignature = '';
  };

  const scroller = (): Element => {
    let box: Element | null = document.querySelector('[data-image-id]');
    for (; box; box = box.parentElement) {
      const overflow = getComputedStyle(box).overflowY;
      if ((overflow === 'auto' || overflow === 'scroll') && box.scrollHeight > box.clientHeight) return box;
    }
    return document.scrollingElement ?? document.documentElement;
  };
  const readCells = (into: Map<string, string>): void => {
    for (const cell of document.querySelectorAll('[data-image-id]'))
      into.set(cell.getAttribute('data-image-id') ?? '', cell.getAttribute('data-status') ?? '');
  };
  const walk = async (): Promise<SweepRecord['cells']> => {
    const box = scroller();
    const cells = new Map<string, string>();
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const end = box.scrollHeight - box.clientHeight;
    for (let top = 0; ; top += Math.max(1, 0.8 * box.clientHeight)) {
      box.scrollTop = Math.min(top, end);
      // One frame in which the list hears of it, one in which it has drawn.
      await frame();
      await frame();
      readCells(cells);
      if (top >= end) return [...cells];
    }
  };
  const sweep = (durationMs: number, forward: boolean): Promise<SweepRecord> =>
    new Promise((resolve) => {
      const box = scroller();
      const end = box.scrollHeight - box.clientHeight;
      const intervals: number[] = [];
      const cells = new Map<string, string>();
      let start: number | undefined;
      let before: number | undefined;
      const step = (now: number): void => {
        start ??= now;
        if (before !== undefined) intervals.push(now - before);
        before = now;
        const part = Math.min(1, (now - start) / durationMs);
        box.scrollTop = Math.round(end * (forward ? part : 1 - part));
        readCells(cells);
        // A few frames past the end, so that the last rows are drawn and read too.
        if (now - start < durationMs + 100) requestAnimationFrame(step);
        else resolve({ intervals, cells: [...cells] });
      };
      requestAnimationFrame(step);
    });

  window.segbenchRecorder = {
    arm(total) {
      lastSignature = '';
      const idle = armedFor === null;
      armedFor = total;
      if (idle) requestAnimationFrame(look);
    },
    disarm() {
      armedFor = null;
    },
    quietMs() {
      const [start = 0, duration = 0] = longFrames.at(-1) ?? [];
      return performance.now() - Math.max(mutations.at(-1)?.[1] ?? 0, start + duration);
    },
    dump() {
      domNodesMax = Math.max(domNodesMax, document.getElementsByTagName('*').length);
      const now = performance.now();
      return { now, mutations, longFrames, toasts, states, interactions, domNodesMax, firstCellAt };
    },
    firstPaint: (timeoutMs) =>
      new Promise((resolve) => {
        if (firstContentfulPaint !== null) return resolve(firstContentfulPaint);
        awaitingPaint.push(resolve);
        setTimeout(() => resolve(null), timeoutMs);
      }),
    sweep,
    walk,
  };
}
