import path from 'node:path';
import { createCrashPoints } from '../../crash-points.ts';
import { prepareSharp } from '../decode.ts';
import { InferenceFailure } from '../failure.ts';
import { createSegmenter } from '../segment.ts';
import { createChildLeases } from '../kserve/child-leases.ts';
import { createKserveSession } from '../kserve/session.ts';
import { readCard } from '../model.ts';
import type { Provider } from '../providers.ts';
import { createSession, type ModelSession } from '../session.ts';
import type { Measured } from './executor.ts';
import type { ChildOptions } from './protocol.ts';
import { serve, type Served } from './serve.ts';

/** What a child does with its options; tests wrap it to make a child crash or hang. */
export async function loadSegmenter({
  modelDir,
  provider,
  maxPixels,
  serverTimeoutMs = 60_000,
  ...rest
}: ChildOptions): Promise<Served> {
  prepareSharp();
  const leases = provider === 'kserve' ? createChildLeases() : null;
  const open = async (dir: string): Promise<ModelSession> => {
    if (leases === null || provider !== 'kserve') return createSession(dir, provider as Provider);
    const model = { card: await readCard(dir), version: path.basename(dir) };
    return createKserveSession({ ...model, timeoutMs: serverTimeoutMs, ...leases });
  };
  /** By folder. A model stays once it is loaded: creating sessions leaks, so that the parent ends the child instead. */
  const models = new Map<string, Promise<{ session: ModelSession; segment: ReturnType<typeof createSegmenter> }>>();
  const modelIn = (dir: string) => {
    const loaded =
      models.get(dir) ?? open(dir).then((session) => ({ session, segment: createSegmenter(session, maxPixels) }));
    models.set(dir, loaded);
    loaded.catch(() => models.delete(dir)); // it may be mended by the next time
    return loaded;
  };
  const modelOf = (dir: string) =>
    modelIn(dir).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new InferenceFailure('MODEL_ERROR', message, { cause: error });
    });
  await modelIn(modelDir);
  return {
    async segment(requests, options) {
      const { segment } = await modelOf(requests[0]!.modelDir);
      return segment(requests, options);
    },
    async warmup() {
      if (leases !== null) return []; // the probes of the servers do that
      const { session } = await modelIn(modelDir);
      const counts = [...new Set([1, rest.maxBatch])];
      const shapes = rest.warmupSides.flatMap((side) => counts.map((images) => ({ images, side })));
      const measured: Measured[] = [];
      // From small to large: the peak of memory never goes down.
      for (const { images, side } of shapes.toSorted((a, b) => a.images * a.side ** 2 - b.images * b.side ** 2)) {
        const input = new Float32Array(images * side * side);
        await session.run(input, side, side, images); // the first of a shape allocates
        const start = performance.now();
        await session.run(input, side, side, images);
        const ms = performance.now() - start;
        measured.push({ images, pixels: side * side, ms, peakBytes: process.resourceUsage().maxRSS * 1024 });
      }
      return measured;
    },
  };
}

/** Executions that hang, die or find no memory on demand (`CRASH_POINTS`, tests only): this very process does. */
function goingWrong(served: Served, folder: string): Served {
  const points = createCrashPoints(folder);
  return {
    ...served,
    async segment(requests, options) {
      const fault = requests.map(({ sha256 }) => points.executionFault(sha256)).find((found) => found !== null);
      // blocks the event loop for good, as a native call does
      if (fault === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      if (fault === 'crash') process.kill(process.pid, 'SIGSEGV');
      if (fault === 'out-of-memory') throw new InferenceFailure('OUT_OF_MEMORY', 'failed to allocate memory (planted)');
      return served.segment(requests, options);
    },
  };
}

async function loadChild(options: ChildOptions): Promise<Served> {
  const served = await loadSegmenter(options);
  return options.crashPoints ? goingWrong(served, options.crashPoints) : served;
}

// Only when it is the fork's entry: a test's child imports the function above.
if (import.meta.main) serve(() => loadChild(JSON.parse(process.argv[2] ?? '{}') as ChildOptions));
