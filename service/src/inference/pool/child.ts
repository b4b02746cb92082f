import { prepareSharp } from '../decode.ts';
import { createSegmenter } from '../segment.ts';
import { createSession } from '../session.ts';
import type { ChildOptions } from './protocol.ts';
import { serve, type Served } from './serve.ts';

const WARMUP_SIDE = 256;

/** What a child does with its options; tests wrap it to make a child crash or hang. */
export async function loadSegmenter({ modelDir, provider, maxPixels }: ChildOptions): Promise<Served> {
  prepareSharp();
  const session = await createSession(modelDir, provider);
  return {
    segment: createSegmenter(session, maxPixels),
    async warmup() {
      await session.run(new Float32Array(WARMUP_SIDE * WARMUP_SIDE), WARMUP_SIDE, WARMUP_SIDE);
    },
  };
}

// Only when it is the fork's entry: a test's child imports the function above.
if (import.meta.main) serve(() => loadSegmenter(JSON.parse(process.argv[2] ?? '{}') as ChildOptions));
