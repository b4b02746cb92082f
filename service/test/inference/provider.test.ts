import path from 'node:path';
import ort from 'onnxruntime-node';
import { afterEach, expect, it, vi } from 'vitest';
import { createSession } from '../../src/inference/session.ts';

const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
afterEach(() => void vi.restoreAllMocks());

/** As on a machine whose GPU can do no operator of the network: ONNX Runtime leaves them all to the CPU. */
function withoutOperators(): void {
  const create = ort.InferenceSession.create.bind(ort.InferenceSession) as (
    weights: Uint8Array,
    options: ort.InferenceSession.SessionOptions,
  ) => Promise<ort.InferenceSession>;
  vi.spyOn(ort.InferenceSession, 'create').mockImplementation(((
    weights: Uint8Array,
    options: ort.InferenceSession.SessionOptions,
  ) => create(weights, { ...options, executionProviders: ['cpu'] })) as typeof ort.InferenceSession.create);
}

it('is refused, naming the provider, when it would leave a part of the network to the CPU', async () => {
  withoutOperators();
  await expect(createSession(MODEL, 'webgpu')).rejects.toThrow(
    /model\.onnx: provider "webgpu" cannot load it: .*fallback to CPU EP has been explicitly disabled/,
  );
});

it('may be the CPU itself', async () => {
  withoutOperators();
  expect((await createSession(MODEL, 'cpu')).card.name).toBe('nuclei');
});
