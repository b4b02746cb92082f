import './no-telemetry.ts';
import path from 'node:path';
import ort from 'onnxruntime-node';
import { readCard, readWeights, type ModelCard } from './model.ts';
import type { Provider } from './providers.ts';
import { checkSignature, probe } from './signature.ts';
import { softwareDriver } from './software-driver.ts';

/** Heeded where the model runs on servers: nothing stops a run in this process but its end. */
export interface RunOptions {
  /** Longest wall clock of the run, with every try. */
  limitMs?: number | undefined;
  /** Aborting rejects with its reason. */
  signal?: AbortSignal | undefined;
}
export interface ModelSession {
  card: ModelCard;
  /**
   * `input`: `count` images one after the other, each width × height normalised gray; both sides multiples of
   * `card.input.multipleOf`. Result: 3 planes of logits an image, in the same order.
   */
  run(input: Float32Array, width: number, height: number, count?: number, options?: RunOptions): Promise<Float32Array>;
}

/**
 * Loads the verified weights into one session: one thread, and no spinning while idle, so that N processes on N cores
 * do not disturb each other. Inputs, outputs and one run on a small image must be what the card says.
 * @throws Error when they are not, or when the provider is not built in or cannot do all of the network: ONNX Runtime would do the
 * rest of it on the CPU, and say nothing. So would WebGPU with all of it where a software driver is all that it finds.
 */
export async function createSession(modelDir: string, provider: Provider): Promise<ModelSession> {
  const built = ort.listSupportedBackends().map((backend) => backend.name);
  const backend = provider === 'webgpu-software' ? 'webgpu' : provider;
  if (!built.includes(backend))
    throw new Error(`provider "${provider}" is not in this onnxruntime (allowed: ${built.join(', ')})`);
  const card = await readCard(modelDir);
  const weights = await readWeights(modelDir, card);
  const file = path.join(modelDir, 'model.onnx');
  const session = await ort.InferenceSession.create(weights, {
    executionProviders: [backend],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    extra: {
      session: {
        disable_cpu_ep_fallback: provider === 'cpu' ? '0' : '1',
        intra_op: { allow_spinning: '0' },
        inter_op: { allow_spinning: '0' },
      },
    },
  }).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${file}: provider "${provider}" cannot load it: ${message}`, { cause: error });
  });
  const run: ModelSession['run'] = async (input, width, height, count = 1) => {
    const feeds = { [card.input.name]: new ort.Tensor('float32', input, [count, 1, height, width]) };
    const output = (await session.run(feeds))[card.output.name];
    const shape = [count, 3, height, width];
    const planes = output?.data;
    if (!(planes instanceof Float32Array) || output?.dims.join() !== shape.join())
      throw new Error(
        `output "${card.output.name}" is ${output?.type} [${output?.dims.join(', ')}], expected float32 [${shape.join(', ')}]`,
      );
    return planes;
  };
  try {
    if (backend === 'webgpu') checkDriver(provider);
    checkSignature(session, card, file);
    await probe(run, card, file);
  } catch (error) {
    // A WebGPU session that never ran crashes the process when that ends.
    await session.release().catch(() => {});
    throw error;
  }
  return { card, run };
}

function checkDriver(provider: Provider): void {
  const software = softwareDriver();
  if (provider === 'webgpu' && software !== null)
    throw new Error(
      `provider "webgpu" cannot find a GPU: the Vulkan driver ${software} computes on the CPU, hundreds of times slower than PROVIDER=cpu (PROVIDER=webgpu-software takes it all the same)`,
    );
  if (provider === 'webgpu-software' && software === null)
    throw new Error(
      'provider "webgpu-software" cannot find a software Vulkan driver (SwiftShader, llvmpipe); PROVIDER=webgpu takes a GPU',
    );
}
