import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Provider } from '../../../service/src/inference/providers.ts';
import { failed, ok, type Check } from './check.ts';
import type { Machine } from './libraries.ts';
import { toldResult, type TrialOutcome } from './trial.ts';

/** Folder of the native libraries of onnxruntime-node 1.30. */
const BINARIES = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin/napi-v6');
const NUGET = 'Microsoft.ML.OnnxRuntime.Gpu.Linux 1.30.0';
const INSTALL_CUDA = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js';
const VULKAN_DRIVERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
/** What the CUDA provider of onnxruntime 1.30 is linked with (CUDA 12, cuDNN 9). */
const CUDA_LIBRARIES = ['libcudart.so.12', 'libcublas.so.12', 'libcublasLt.so.12', 'libcurand.so.10', 'libcufft.so.11'];

function checkLibrary(machine: Machine, name: string, library: string, remedy: string): Check {
  const at = machine.library(library);
  return at === undefined ? failed(name, `${library} is not there`, remedy) : ok(name, at);
}

/** What WebGPU (Vulkan) needs on Linux; elsewhere the system has it. */
export function webgpuParts(machine: Machine): Check[] {
  if (machine.platform !== 'linux') return [];
  const own = (machine.env['VK_DRIVER_FILES'] ?? machine.env['VK_ICD_FILENAMES'] ?? '').split(':').filter(Boolean);
  const drivers =
    own.length > 0
      ? own.filter((file) => machine.exists(file))
      : VULKAN_DRIVERS.flatMap((d) => machine.files(d, '.json'));
  return [
    checkLibrary(machine, 'webgpu: Vulkan loader', 'libvulkan.so.1', 'apt-get install libvulkan1'),
    drivers.length > 0
      ? ok('webgpu: Vulkan driver', drivers.join(', '))
      : failed(
          'webgpu: Vulkan driver',
          `no driver file in ${own.length > 0 ? own.join(', ') : VULKAN_DRIVERS.join(', ')}`,
          "install the GPU's driver with its Vulkan part (NVIDIA: apt-get install libnvidia-gl-<version of the driver>; AMD, Intel: apt-get install mesa-vulkan-drivers)",
        ),
  ];
}

/** What CUDA needs: NVIDIA's driver, the provider's files, CUDA 12 and cuDNN 9. */
export function cudaParts(machine: Machine): Check[] {
  const { platform, arch } = machine;
  if (platform !== 'linux' || arch !== 'x64')
    return [
      failed('cuda', `there is no CUDA provider for ${platform} ${arch}`, 'use Linux on x64, or another provider'),
    ];
  const folder = join(BINARIES, 'linux/x64');
  const files = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
  const missing = files.filter((name) => !machine.exists(join(folder, name)));
  const cuda = CUDA_LIBRARIES.filter((name) => machine.library(name) === undefined);
  return [
    checkLibrary(
      machine,
      'cuda: driver',
      'libcuda.so.1',
      "install NVIDIA's driver (apt-get install nvidia-driver; in a container: start it with --gpus all)",
    ),
    missing.length === 0
      ? ok('cuda: provider', folder)
      : failed('cuda: provider', `${missing.join(', ')} of ${NUGET} (NuGet) not in ${folder}`, INSTALL_CUDA),
    cuda.length === 0
      ? ok('cuda: CUDA 12', CUDA_LIBRARIES.join(', '))
      : failed(
          'cuda: CUDA 12',
          `${cuda.join(', ')} not there`,
          "apt-get install cuda-libraries-12-8 (NVIDIA's repository), or\n" +
            'pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 nvidia-curand-cu12 nvidia-cufft-cu12, and their lib folders into LD_LIBRARY_PATH',
        ),
    checkLibrary(
      machine,
      'cuda: cuDNN 9',
      'libcudnn.so.9',
      "apt-get install libcudnn9-cuda-12 (NVIDIA's repository), or\npip install nvidia-cudnn-cu12, and its lib folder into LD_LIBRARY_PATH",
    ),
  ];
}

/** Libraries and drivers may be there without a device behind them. */
const DEVICES =
  'is the GPU visible (ls /dev/dri /dev/nvidia*; in a container: start it with --gpus all or --device /dev/dri)? PROVIDER=cpu works meanwhile';
const PARTS: Partial<Record<Provider, (machine: Machine) => Check[]>> = {
  webgpu: webgpuParts,
  'webgpu-software': webgpuParts,
  cuda: cudaParts,
};
/** Providers of a platform's own, beside cpu. */
export const providersOf = (platform: string): Provider[] =>
  platform === 'darwin' ? ['coreml', 'webgpu'] : platform === 'win32' ? ['dml', 'webgpu'] : ['webgpu', 'cuda'];

export interface ProviderReport {
  provider: Provider;
  usable: boolean;
  checks: Check[];
}

/** The parts of one provider, and one image on it: the proof. Without its parts it is not tried, unless `isChosen`. */
export async function checkProvider(
  provider: Provider,
  machine: Machine,
  trial: (provider: Provider) => Promise<TrialOutcome>,
  isChosen: boolean,
): Promise<ProviderReport> {
  const parts = PARTS[provider]?.(machine) ?? [];
  if (!isChosen && parts.some((part) => !part.ok)) return { provider, usable: false, checks: parts };
  const outcome = await trial(provider);
  if ('result' in outcome) {
    const end = outcome.end === undefined ? '' : `; afterwards the process ${outcome.end}`;
    return { provider, usable: true, checks: [...parts, ok(provider, toldResult(outcome.result) + end)] };
  }
  const remedy = parts.some((part) => !part.ok)
    ? 'the lines above that failed, first'
    : provider === 'cpu'
      ? 'npm ci brings the library; what the message says, otherwise'
      : DEVICES;
  return { provider, usable: false, checks: [...parts, failed(provider, outcome.error, remedy)] };
}

/** A server of the Open Inference Protocol (Triton, KServe): is it there, and has it the model. */
export async function checkEndpoint(
  url: string,
  model: string,
  ask: (url: string) => Promise<{ status: number }> = (address) =>
    fetch(address, { signal: AbortSignal.timeout(5000) }),
): Promise<Check[]> {
  const base = url.replace(/\/+$/, '');
  const look = async (name: string, path: string, remedy: string): Promise<Check> => {
    try {
      const { status } = await ask(base + path);
      return status === 200 ? ok(name, `${base}${path}`) : failed(name, `${base}${path} answers ${status}`, remedy);
    } catch (error) {
      const { message, cause } = error as Error;
      const why = cause instanceof Error && cause.message !== '' ? `${message}: ${cause.message}` : message;
      return failed(name, `${base}${path}: ${why}`, remedy);
    }
  };
  const server = await look(
    'endpoint: server',
    '/v2/health/ready',
    'start it: tritonserver --model-repository=MODELS, and give its HTTP port (8000): --endpoint http://HOST:8000',
  );
  if (!server.ok) return [server];
  return [
    server,
    await look(
      'endpoint: model',
      `/v2/models/${model}/ready`,
      `put the model into its repository as ${model}/VERSION/model.onnx`,
    ),
  ];
}
