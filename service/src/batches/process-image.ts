import type { SegmentJob } from '../contract/jobs.ts';
import { failureOf, type InferenceFailure } from '../inference/failure.ts';
import type { InferenceBackend, InferenceOutput } from '../inference/pool/backend.ts';
import type { Claim } from './claim.ts';
import { afterFailure } from './failure-policy.ts';
import { keyOf, type ItemKey, type Outcome, type StageTime } from './outcome.ts';
import { createSharing } from './sharing.ts';

export interface ProcessorDeps {
  /** Null: nothing to do, the job was delivered twice, paused, cancelled or is of an older generation. */
  claim(key: ItemKey): Promise<Claim | null>;
  /** Resolves after the commit, with false when the hand-out was not current any more. */
  write(outcome: Outcome): Promise<boolean>;
  backend: Pick<InferenceBackend, 'infer'>;
  fileOf(sha256: string): string;
  /** Folder of the model that a batch asks for. @throws InferenceFailure MODEL_ERROR where this worker cannot run it */
  modelDirOf(name: string, version: string): string;
  worker: string;
  timeoutMs: number;
  onStages?(stages: readonly StageTime[]): void;
  onInference?(output: InferenceOutput): void;
  onFailure?(failure: InferenceFailure): void;
  now?: () => number;
}

/** One hand-out in work. */
interface Held {
  claim: Claim;
  /** Aborted when it is given up. */
  given: AbortController;
  /** Whether a worker has it, or had. */
  begun: boolean;
}

/** Stages of one inference, put back to back before the moment it ended. */
export function inferenceStages(output: InferenceOutput, queuedAt: number, endedAt: number): StageTime[] {
  const { stages: wall, cpuStages: cpu } = output;
  const named: [stage: string, durationMs: number, cpuMs: number][] = [
    ['decode', wall.decodeMs, cpu.decodeMs],
    ['normalise', wall.normaliseMs, cpu.normaliseMs],
    ['infer', wall.inferMs, cpu.inferMs],
    ['polygons', wall.polygonsMs, cpu.polygonsMs],
    ['encode', wall.encodeMs, cpu.encodeMs],
  ];
  let at = endedAt - output.executionMs;
  const stages: StageTime[] = [{ stage: 'wait', startedAt: queuedAt, durationMs: Math.max(0, at - queuedAt) }];
  for (const [stage, durationMs, cpuMs] of named) {
    stages.push({ stage, startedAt: at, durationMs, cpuMs });
    at += durationMs;
  }
  return stages;
}

/**
 * Takes jobs to their end: claim, inference (once for equal bytes and parameters), outcome. The promise of a job resolves after
 * the outcome's commit, so that BullMQ forgets the job only then.
 */
export function createProcessor(deps: ProcessorDeps) {
  const { now = Date.now } = deps;
  const sharing = createSharing();
  const held = new Map<string, Held>();
  let ending = false;

  const outcome = (claim: Claim, rest: Pick<Outcome, 'status' | 'stages'> & Partial<Outcome>): Outcome => ({
    batchId: claim.batchId,
    imageId: claim.imageId,
    generation: claim.generation,
    sha256: claim.sha256,
    attempt: claim.attempts,
    worker: deps.worker,
    ...rest,
  });
  function reused(claim: Claim): Outcome {
    const at = now();
    return outcome(claim, {
      status: 'completed',
      stages: [
        { stage: 'wait', startedAt: claim.queuedAt, durationMs: Math.max(0, at - claim.queuedAt) },
        { stage: 'reuse', startedAt: at, durationMs: 0, cause: 'a result of the same bytes and parameters is stored' },
      ],
    });
  }
  function failed(claim: Claim, failure: InferenceFailure, startedAt: number): Outcome {
    deps.onFailure?.(failure);
    const { code, retryable, crashed, message } = failure;
    const status = afterFailure({ code, retryable, crashed, crashes: claim.crashes, attempts: claim.attempts });
    const cause = `${code}: ${message}`;
    const stages = [{ stage: 'infer', startedAt, durationMs: Math.max(0, now() - startedAt), cause }];
    return outcome(claim, { status, code, message, crashed, stages });
  }
  function inferred(claim: Claim, output: InferenceOutput): Outcome {
    deps.onInference?.(output);
    const { decodeMs, normaliseMs, inferMs, polygonsMs, encodeMs } = output.stages;
    return outcome(claim, {
      status: 'completed',
      stages: inferenceStages(output, claim.queuedAt, now()),
      result: {
        sha256: claim.sha256,
        tenantId: claim.tenantId,
        model: claim.model,
        modelVersion: claim.modelVersion,
        parameters: claim.parameters,
        threshold: claim.threshold,
        imageWidth: output.imageWidth,
        imageHeight: output.imageHeight,
        polygonCount: output.polygonCount,
        processingMs: output.executionMs,
        warnings: output.warnings,
        stages: { decode: decodeMs, normalise: normaliseMs, infer: inferMs, polygons: polygonsMs, encode: encodeMs },
        polygons: output.polygons,
      },
    });
  }
  async function infer(one: Held): Promise<InferenceOutput> {
    const { claim, given } = one;
    const { imageId, sha256, width, height, priority, threshold, channel, page, detectHoles } = claim;
    const modelDir = deps.modelDirOf(claim.model, claim.modelVersion);
    const parameters = { threshold, channel, page, detectHoles };
    return deps.backend.infer(
      { id: imageId, file: deps.fileOf(sha256), sha256, width, height, priority, modelDir, ...parameters },
      { deadlineMs: deps.timeoutMs, signal: given.signal, onBegin: () => (one.begun = true) },
    );
  }

  /** First of its kind: infers, writes, and tells those who wait how it ended. */
  async function lead(one: Held, key: string): Promise<void> {
    const { claim } = one;
    const startedAt = now();
    let end: Parameters<typeof sharing.end>[1] = { kind: 'nothing' };
    try {
      const result = await infer(one).then(
        (output) => inferred(claim, output),
        (error: unknown) => {
          if (one.given.signal.aborted) return null;
          const failure = failureOf(error);
          // what a later try could change is not shared: each image has its own tries
          if (!failure.retryable) end = { kind: 'failed', failure };
          return failed(claim, failure, startedAt);
        },
      );
      if (result === null) return;
      const applied = await finish(result);
      if (applied && result.status === 'completed') end = { kind: 'stored' };
    } finally {
      sharing.end(key, end);
    }
  }
  async function finish(result: Outcome): Promise<boolean> {
    const readyAt = now();
    const applied = await deps.write(result);
    const save = { stage: 'save', startedAt: readyAt, durationMs: Math.max(0, now() - readyAt) };
    if (applied) deps.onStages?.([...result.stages.filter((stage) => stage.stage !== 'save'), save]);
    return applied;
  }
  async function work(one: Held): Promise<void> {
    const { claim, given } = one;
    if (claim.known) return void (await finish(reused(claim)));
    const scope = claim.force ? claim.batchId : claim.tenantId;
    const key = [scope, claim.sha256, claim.model, claim.modelVersion, claim.parameters].join('/');
    while (!given.signal.aborted) {
      const first = sharing.begin(key);
      if (first === null) return lead(one, key);
      const end = await first;
      if (end.kind === 'stored') return void (await finish(reused(claim)));
      if (end.kind === 'failed') return void (await finish(failed(claim, end.failure, now())));
    }
  }
  return {
    async process(job: SegmentJob): Promise<void> {
      const claim = await deps.claim({ batchId: job.batchId, imageId: job.imageId, generation: job.generation });
      if (claim === null) return;
      const id = keyOf(claim);
      const one: Held = { claim, given: new AbortController(), begun: false };
      held.set(id, one);
      if (ending) one.given.abort(new Error('this worker ends'));
      try {
        await work(one);
      } finally {
        held.delete(id);
      }
    },
    /** Whether this hand-out is in work. */
    holds: (key: ItemKey): boolean => held.has(keyOf(key)),
    /** What this worker works on now: their leases must be renewed. */
    held: (): Claim[] => [...held.values()].map(({ claim }) => claim),
    /** Gives up all that has not begun, and what is claimed from now on; what runs goes on to its end. */
    wind(): void {
      ending = true;
      for (const { given, begun } of held.values()) if (!begun) given.abort(new Error('this worker ends'));
    },
    /** Gives up these, whatever has begun of them: it would change no row. */
    abandon(keys: readonly ItemKey[]): void {
      for (const key of keys) held.get(keyOf(key))?.given.abort(new Error('handed to another, or cancelled'));
    },
  };
}
export type Processor = ReturnType<typeof createProcessor>;
