import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashPoints, ExecutionFault } from '../../crash-points.ts';
import type { InferenceRequest, WorkerStats } from '../pool/backend.ts';
import { InferenceFailure } from '../pool/backend.ts';
import { closedFailure, type ExecutedImage, type Executor } from '../pool/executor.ts';
import type { createCells } from './cells.ts';
import type { Profile } from './profile.ts';

const MEGA = 1e6;
/** Warning on every result. */
export const SIMULATED = 'SIMULATED';
const NONE = { decodeMs: 0, normaliseMs: 0, inferMs: 0, polygonsMs: 0, encodeMs: 0 };

/** Milliseconds that the profile predicts for images of these sides together. */
export const predictedMs = (
  { time }: Pick<Profile, 'time'>,
  images: readonly { width: number; height: number }[],
): number =>
  time.fixedMs + (time.msPerMegapixel * images.reduce((sum, { width, height }) => sum + width * height, 0)) / MEGA;

/** 0 to 1, always the same for an image, and as good as drawn over many: their digests are. */
export const luckOf = ({ sha256 }: Pick<InferenceRequest, 'sha256'>): number =>
  Number.parseInt(sha256.slice(0, 8) || '80000000', 16) / 2 ** 32;

/** A device that takes as long as its profile says, and looks at no picture. */
export function createSimulatedDevice(
  profile: Profile,
  options: { id: string; cells: ReturnType<typeof createCells>; points?: CrashPoints | null; onChange: () => void },
): Executor {
  const { id, cells, onChange, points = null } = options;
  const closing = new AbortController();
  let state: WorkerStats['state'] = 'stopped';
  let recycling = false;
  let runningSince = 0;
  const born = performance.now();
  const counts = { busyMs: 0, imagesDone: 0, restarts: 0, rssBytes: 0, lastError: null as string | null };

  const become = (next: WorkerStats['state']) => {
    state = next;
    onChange();
  };
  const coldStart = async () => {
    state = 'starting';
    await sleep(profile.coldStartMs, undefined, { signal: closing.signal }).catch(() => {});
    if (!closing.signal.aborted) become('idle');
  };
  function resultOf(request: InferenceRequest, executionMs: number): ExecutedImage | InferenceFailure {
    // From the other end of the digest's first half: who is slow is not who fails.
    const luck = luckOf({ sha256: request.sha256.slice(8) });
    if (luck < profile.failureRatio) return new InferenceFailure('MODEL_ERROR', 'failed as its profile says');
    const stages = { ...NONE, inferMs: executionMs };
    const sides = { imageWidth: request.width, imageHeight: request.height };
    const made = { ...cells(request.width, request.height), warnings: [SIMULATED] };
    return { ...sides, ...made, stages, cpuStages: NONE, executionMs, worker: id };
  }

  /** As a process would end that hangs or dies; nothing is done to any process here. */
  async function goWrong(fault: ExecutionFault, limitMs: number): Promise<never> {
    if (fault === 'out-of-memory') {
      become('idle');
      throw new InferenceFailure('OUT_OF_MEMORY', 'simulated: the device has no memory left');
    }
    if (fault === 'hang') await sleep(limitMs, undefined, { signal: closing.signal }).catch(() => {});
    counts.restarts++;
    void coldStart();
    if (fault === 'crash') throw new InferenceFailure('CRASHED', 'simulated: the process died', { crashed: true });
    throw new InferenceFailure('TIMEOUT', `simulated: killed after ${limitMs} ms without progress`, { crashed: true });
  }

  return {
    id,
    start: () => void coldStart(),
    ready: () => state === 'idle' || state === 'busy',
    idle: () => state === 'idle' && !recycling,
    broken: () => false,
    async run(requests, limitMs) {
      state = 'busy';
      runningSince = performance.now();
      const faults = points === null ? [] : requests.flatMap(({ sha256 }) => points.executionFault(sha256) ?? []);
      if (faults[0]) return goWrong(faults[0], limitMs);
      const { residuals } = profile;
      const residual = residuals[Math.floor(luckOf(requests[0]!) * residuals.length)]!;
      // A timer cuts fractions off.
      await sleep(Math.round(predictedMs(profile, requests) * residual), undefined, { signal: closing.signal }).catch(
        () => {},
      );
      const executionMs = performance.now() - runningSince;
      counts.busyMs += executionMs;
      if (closing.signal.aborted) throw closedFailure();
      state = 'idle';
      const results = requests.map((request) => resultOf(request, executionMs));
      counts.imagesDone += results.filter((result) => !(result instanceof InferenceFailure)).length;
      return results;
    },
    measured: () => [],
    async recycle() {
      recycling = true;
      while (state === 'busy') await sleep(1);
      counts.restarts++;
      await coldStart();
      recycling = false;
      onChange();
    },
    async close() {
      closing.abort();
      state = 'stopped';
    },
    stats(): WorkerStats {
      const busyMs = counts.busyMs + (state === 'busy' ? performance.now() - runningSince : 0);
      const busyRatio = Math.min(1, busyMs / Math.max(1, performance.now() - born));
      return { ...counts, id, pid: null, state, busyMs, busyRatio };
    },
  };
}
