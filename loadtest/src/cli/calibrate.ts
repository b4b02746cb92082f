import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../../service/src/config.ts';
import { loadModelCard } from '../../../service/src/inference/model.ts';
import type { InferenceBackend } from '../../../service/src/inference/pool/backend.ts';
import { createBackend } from '../../../service/src/inference/pool/create.ts';
import { whyIllustrative, type Profile } from '../../../service/src/inference/sim/profile.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { squareImages } from '../calibrate/images.ts';
import { profileOf } from '../calibrate/profile.ts';
import { sweep } from '../calibrate/sweep.ts';
import { MODEL, MODELS_DIR } from '../run/machine.ts';
import { calibrateHelp, parseCalibrateOptions, type CalibrateOptions } from './calibrate-options.ts';
import { EXIT, reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { UsageError } from './usage-error.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
/** A batch of 16 images of 1024² takes several GB on a CPU; nothing else runs. */
const MEMORY_BYTES = 64e9;

async function backendOf({ pool, provider, batches }: CalibrateOptions, modelDir: string): Promise<InferenceBackend> {
  const servers = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };
  const asked = { POOL: pool, PROVIDER: provider, WORKERS: '1', MAX_BATCH: String(Math.max(...batches)) };
  const limits = { WORKER_MEMORY_BYTES: String(MEMORY_BYTES), INFERENCE_TIMEOUT_MS: '600000' };
  try {
    const config = loadConfig({ ...servers, ...asked, ...limits });
    return await createBackend(config, modelDir, (_, message) => say(message));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @returns files by side */
async function makeImages(directory: string, { sides, batches }: CalibrateOptions, signal: AbortSignal) {
  const files = new Map<number, string[]>();
  for (const side of sides) files.set(side, await squareImages(directory, side, Math.max(...batches), signal));
  return files;
}

async function measure(options: CalibrateOptions, directory: string, signal: AbortSignal): Promise<Profile> {
  const { dir: modelDir, name, version } = await loadModelCard(MODELS_DIR, MODEL);
  const backend = await backendOf(options, modelDir);
  // a server that is not ready is waited for
  signal.addEventListener('abort', () => void backend.close());
  try {
    await backend.load().catch((error: unknown) => {
      throw new EnvironmentError(`--provider ${options.provider}, --pool ${options.pool}: ${(error as Error).message}`);
    });
    say('making images');
    const files = await makeImages(directory, options, signal);
    const { batches, rounds } = options;
    await sweep(backend, { batches, files, modelDir, rounds: 1, signal }); // the first of a shape allocates
    let said = performance.now();
    const onProgress = (done: number, total: number) => {
      if (performance.now() - said < 2000 && done < total) return;
      said = performance.now();
      say(`  ${done}/${total} executions`);
    };
    const executions = await sweep(backend, { batches, files, modelDir, rounds, onProgress, signal });
    const { version: onnxruntime } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
      version: string;
    };
    const isLocal = options.pool === 'local';
    const byCpu = options.clock === 'cpu';
    const timed = byCpu ? executions.map((one) => ({ ...one, ms: one.cpuMs })) : executions;
    return profileOf(timed, {
      name: options.name,
      device: options.device ?? (isLocal ? `${cpus()[0]?.model.trim()}, one thread` : options.pool),
      model: `${name} ${version}`,
      versions: isLocal ? { node: process.version, 'onnxruntime-node': onnxruntime, provider: options.provider } : {},
      source: `npm run calibrate, ${rounds} executions of each of ${batches.length} batch sizes and ${options.sides.length} shapes${byCpu ? '; CPU time of the worker' : ''}`,
      covers: 'decode to polygons',
    });
  } finally {
    await backend.close();
  }
}

function table({ points, time }: Profile): string {
  const rows = points.map(({ images, width, ms }) => {
    const line = time.fixedMs + (time.msPerMegapixel * images * width * width) / 1e6;
    const off = (100 * (ms / line - 1)).toFixed(1);
    return `  ${String(width).padStart(5)}² × ${String(images).padEnd(3)} ${ms.toFixed(1).padStart(9)} ms  ${((1000 * images) / ms).toFixed(1).padStart(7)} images/s  ${off.padStart(6)} % off the line`;
  });
  return rows.join('\n');
}

async function run(options: CalibrateOptions): Promise<number> {
  const interrupts = listenForInterrupts();
  const directory = await mkdtemp(join(tmpdir(), 'segbench-calibrate-'));
  try {
    const profile = await measure(options, directory, interrupts.signal);
    const text = `${JSON.stringify(profile, null, 2)}\n`;
    await mkdir(dirname(options.out), { recursive: true });
    await writeFile(options.out, text);
    const why = whyIllustrative(profile);
    const { fixedMs, msPerMegapixel, residual } = profile.time;
    if (options.json) process.stdout.write(text);
    else {
      process.stdout.write(`${table(profile)}\n\n`);
      process.stdout.write(
        `  T = ${fixedMs} ms + ${msPerMegapixel} ms · megapixels, ± ${(100 * residual).toFixed(1)} %\n`,
      );
      process.stdout.write(`  ${options.out}${why === null ? '' : ` (illustrative: ${why})`}\n`);
    }
    return EXIT.pass;
  } catch (error) {
    if (interrupts.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    interrupts.release();
    await rm(directory, { recursive: true, force: true });
  }
}

try {
  const options = parseCalibrateOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${calibrateHelp()}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
