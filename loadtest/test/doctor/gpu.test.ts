import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { linesOf } from '../../src/doctor/check.ts';
import { checkEndpoint, checkProvider, cudaParts, providersOf, webgpuParts } from '../../src/doctor/gpu.ts';
import type { Provider } from '../../../service/src/inference/providers.ts';
import type { Machine } from '../../src/doctor/libraries.ts';
import type { TrialOutcome } from '../../src/doctor/trial.ts';

const RESULT = { loadMs: 1, firstMs: 2, ms: 1, width: 8, height: 8, cells: 3, warnings: [] };
const CUDA = [
  'libcuda.so.1',
  'libcudart.so.12',
  'libcublas.so.12',
  'libcublasLt.so.12',
  'libcurand.so.10',
  'libcufft.so.11',
];
const FILES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

/** A Linux machine on which these libraries and files are. */
function machineWith(present: readonly string[], env: Record<string, string> = {}): Machine {
  return {
    platform: 'linux',
    arch: 'x64',
    env,
    library: (name) => (present.includes(name) ? `/lib/${name}` : undefined),
    exists: (path) => present.includes(basename(path)) || present.includes(path),
    files: (folder, suffix) => present.filter((path) => path.startsWith(folder) && path.endsWith(suffix)),
  };
}
const wrong = (checks: { name: string; ok: boolean }[]) => checks.filter((one) => !one.ok).map(({ name }) => name);

describe('webgpuParts', () => {
  const DRIVER = '/usr/share/vulkan/icd.d/nvidia_icd.json';
  it.each<[present: string[], missing: string[]]>([
    [[], ['webgpu: Vulkan loader', 'webgpu: Vulkan driver']],
    [['libvulkan.so.1'], ['webgpu: Vulkan driver']],
    [[DRIVER], ['webgpu: Vulkan loader']],
    [['libvulkan.so.1', DRIVER], []],
  ])('with %j misses %j', (present, missing) => {
    const checks = webgpuParts(machineWith(present));
    expect(wrong(checks)).toEqual(missing);
    expect(checks.every(({ ok, remedy }) => ok === (remedy === undefined))).toBe(true);
  });

  it('looks where the Vulkan loader is told to look', () => {
    const env = { VK_DRIVER_FILES: '/opt/mine.json:/opt/gone.json' };
    expect(wrong(webgpuParts(machineWith(['libvulkan.so.1', '/opt/mine.json'], env)))).toEqual([]);
    expect(wrong(webgpuParts(machineWith(['libvulkan.so.1', DRIVER], env)))).toEqual(['webgpu: Vulkan driver']);
  });
});

describe('cudaParts', () => {
  const all = [...CUDA, ...FILES, 'libcudnn.so.9'];
  it('with everything misses nothing', () => {
    expect(wrong(cudaParts(machineWith(all)))).toEqual([]);
  });

  it.each([
    ['libcuda.so.1', 'cuda: driver', "NVIDIA's driver"],
    ['libonnxruntime_providers_cuda.so', 'cuda: provider', 'ONNXRUNTIME_NODE_INSTALL=cuda12 node '],
    ['libonnxruntime_providers_shared.so', 'cuda: provider', 'ONNXRUNTIME_NODE_INSTALL=cuda12 node '],
    ['libcufft.so.11', 'cuda: CUDA 12', 'nvidia-cufft-cu12'],
    ['libcudnn.so.9', 'cuda: cuDNN 9', 'nvidia-cudnn-cu12'],
  ])('without %s misses "%s", and says how to get it', (library, name, remedy) => {
    const checks = cudaParts(machineWith(all.filter((one) => one !== library)));
    expect(wrong(checks)).toEqual([name]);
    const [check] = checks.filter((one) => !one.ok);
    expect(check?.found).toContain(library);
    expect(check?.remedy).toContain(remedy);
  });

  it('is told at once where there is no CUDA provider', () => {
    expect(cudaParts({ ...machineWith(all), arch: 'arm64' })).toMatchObject([
      { ok: false, found: 'there is no CUDA provider for linux arm64' },
    ]);
  });

  it('the command to get the provider is one that its package has', async () => {
    const { default: metadata } = (await import('onnxruntime-node/script/install-metadata.js' as string)) as {
      default: { requirements: Record<string, string[]>; manifests: Record<string, object> };
    };
    expect(metadata.requirements['linux/x64']).toContain('cuda12');
    expect(Object.keys(metadata.manifests['linux/x64:cuda12'] ?? {})).toEqual(
      expect.arrayContaining(FILES.map((name) => `./${name}`)),
    );
  });
});

describe('checkProvider', () => {
  it('does not try a provider whose parts are missing, unless it is the chosen one', async () => {
    const trial = vi.fn<(provider: Provider) => Promise<TrialOutcome>>(() => Promise.resolve({ error: 'no adapter' }));
    expect(await checkProvider('webgpu', machineWith([]), trial, false)).toMatchObject({ usable: false });
    expect(trial).not.toHaveBeenCalled();
    const chosen = await checkProvider('webgpu', machineWith([]), trial, true);
    expect(chosen.checks.at(-1)).toMatchObject({ ok: false, found: 'no adapter' });
    expect(trial).toHaveBeenCalledWith('webgpu');
  });

  it('is proved by an image, even by one after which the process crashed', async () => {
    const trial = () => Promise.resolve({ result: RESULT, end: 'ended by SIGSEGV' });
    const { usable, checks } = await checkProvider('cpu', machineWith([]), trial, true);
    expect(usable).toBe(true);
    expect(checks).toMatchObject([
      { ok: true, found: expect.stringContaining('afterwards the process ended') as string },
    ]);
  });

  it('takes those that a platform has', () => {
    expect(['linux', 'darwin', 'win32'].map(providersOf)).toEqual([
      ['webgpu', 'cuda'],
      ['coreml', 'webgpu'],
      ['dml', 'webgpu'],
    ]);
  });
});

describe('checkEndpoint', () => {
  const status = new Map<string, number>();
  const server = createServer((request, reply) => reply.writeHead(status.get(request.url!) ?? 404).end());
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it.each<[ready: number, model: number, missing: string[]]>([
    [200, 200, []],
    [200, 400, ['endpoint: model']],
    [503, 200, ['endpoint: server']],
  ])('a server that answers %i, and %i for the model, lacks %j', async (ready, model, missing) => {
    status.set('/v2/health/ready', ready).set('/v2/models/nuclei/ready', model);
    expect(wrong(await checkEndpoint(`${url}/`, 'nuclei'))).toEqual(missing);
  });

  it('says why when nothing listens', async () => {
    const [check] = await checkEndpoint('http://127.0.0.1:1', 'nuclei');
    expect(check).toMatchObject({ ok: false, remedy: expect.stringContaining('tritonserver') as string });
  });
});

describe('linesOf', () => {
  it('puts the remedy under what failed', () => {
    const text = linesOf([
      { name: 'a', ok: true, found: 'here' },
      { name: 'bc', ok: false, found: 'not there', remedy: 'get it' },
    ]);
    expect(text).toBe('ok      a   here\nfailed  bc  not there\n            -> get it');
  });
});
