import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../../../loadtest/src/environment/ports.ts';
import { readCard, type ModelCard } from '../../../../src/inference/model.ts';

export const KINDS = ['kserve', 'mlserver', 'triton'] as const;
export type Kind = (typeof KINDS)[number];

export interface Server {
  url: string;
  pid: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 90_000;
const folder = process.env['KSERVE_SERVERS'];

/** The interpreter of a server's environment; null where it is not installed. */
const pythonOf = (kind: Kind): string | null => {
  const python = folder === undefined ? '' : join(folder, kind, 'bin/python');
  return existsSync(python) ? python : null;
};
export const installed = (kind: Kind): boolean => pythonOf(kind) !== null;
/** For the names of tests, which have to say why they are skipped. */
export function whereFrom(...kinds: readonly Kind[]): string {
  const missing = kinds.filter((kind) => !installed(kind));
  const why = missing.length === 0 ? '' : `; not installed: ${missing.join(', ')}`;
  return `${kinds.join(', ')}: servers/install.sh DIR, then KSERVE_SERVERS=DIR${why}`;
}

/** Starts a server with the model of this version folder, and waits until it says that it is ready. */
export async function startServer(kind: Kind, modelDir: string): Promise<Server> {
  const work = await mkdtemp(join(tmpdir(), `segbench-${kind}-`));
  const [port, ...others] = (await Promise.all([freePort(), freePort(), freePort()])).map(String);
  const card = await readCard(modelDir);
  const args: Record<Kind, string[]> = {
    kserve: [join(import.meta.dirname, 'kserve_server.py'), modelDir, port!],
    triton: [join(import.meta.dirname, 'triton_server.py'), modelDir, port!, ...others],
    mlserver: [join(folder!, kind, 'bin/mlserver'), 'start', work],
  };
  const settings = { MLSERVER_HTTP_PORT: port, MLSERVER_GRPC_PORT: others[0], MLSERVER_METRICS_PORT: others[1] };
  await writeFile(join(work, 'model-settings.json'), JSON.stringify(modelSettings(card, modelDir)));
  // A group of its own, for Triton is several processes.
  const child = spawn(pythonOf(kind)!, args[kind], {
    cwd: work,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...settings,
      MLSERVER_HOST: '127.0.0.1',
      MLSERVER_PARALLEL_WORKERS: '0',
      PYTHONPATH: import.meta.dirname,
      PYTHONDONTWRITEBYTECODE: '1',
      PYTRITON_HOME: work,
      TMPDIR: work,
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const server: Server = {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    async kill() {
      const triton = partsOfTriton(child.pid!);
      process.kill(triton?.pid ?? child.pid!, 'SIGKILL');
      await gone;
      if (triton) await rm(triton.folder, { recursive: true, force: true });
    },
    async stop() {
      // Only the first process: Triton's ends the others, which then leave nothing behind.
      if (running(child)) child.kill('SIGTERM');
      await Promise.race([gone, sleep(20_000, undefined, { ref: false })]);
      signalGroup(child, 'SIGKILL');
      await gone;
      await rm(work, { recursive: true, force: true });
    },
  };
  try {
    await readiness(`${server.url}/v2/models/${card.name}/ready`, child);
  } catch (error) {
    await server.stop();
    throw new Error(`${kind} does not start: ${(error as Error).message}\n${said}`, { cause: error });
  }
  return server;
}

const modelSettings = (card: ModelCard, modelDir: string) => ({
  name: card.name,
  implementation: 'mlserver_runtime.Segmenter',
  parameters: { uri: modelDir, version: card.version },
  inputs: [{ name: card.input.name, datatype: 'FP32', shape: [-1, 1, -1, -1] }],
  outputs: [{ name: card.output.name, datatype: 'FP32', shape: [-1, 3, -1, -1] }],
});

async function readiness(url: string, child: ChildProcess): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    if (!running(child)) throw new Error(`ended with code ${child.exitCode}, signal ${child.signalCode}`);
    const reply = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => null);
    await reply?.arrayBuffer();
    if (reply?.status === 200) return;
    if (performance.now() > until) throw new Error(`not ready after ${START_TIMEOUT_MS} ms`);
    await sleep(200);
  }
}

const running = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

/** The process that answers for PyTriton, which ends with it, and the temporary folder that it leaves when it is killed. */
function partsOfTriton(parent: number): { pid: number; folder: string } | null {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const childOf = (of: number, program: RegExp) =>
    lines.map((line) => line.trim().split(/\s+/)).find(([, ppid, path]) => Number(ppid) === of && program.test(path!));
  const pid = Number(childOf(parent, /\/tritonserver$/)?.[0] ?? 0);
  const script = childOf(pid, /\/triton_python_backend_stub$/)?.[3];
  return pid > 0 && script ? { pid, folder: dirname(dirname(script)) } : null;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
