/**
 * The keeper: a process of its own session that owns the servers and the temporary folder of one run, and is its watchdog.
 * It ends when it is told to, and when the IPC channel closes, which it does however the supervisor ended.
 */
import { rm } from 'node:fs/promises';
import { lockDataDir } from './data-lock.ts';
import type { Engine } from './containers/engine.ts';
import { removeRunContainers } from './containers/leftovers.ts';
import { diskFull, EnvironmentError } from './errors.ts';
import type { FromKeeper, ToKeeper } from './keeper-protocol.ts';
import { startOwnServers } from './own-servers.ts';
import type { RunningServer } from './postgres.ts';
import { RUN_VARIABLE } from './processes.ts';
import { createTempDir, killStrays, removeLeftovers, writeOwner } from './temp-dir.ts';
import { createGroupWatch } from './watch-groups.ts';

/** SIGTERM to the service's processes, then this long; the servers need some of the 30 s after it. */
const GROUP_GRACE_MS = 10_000;

const groups = createGroupWatch();
const servers: RunningServer[] = [];
/** Ended on purpose: that is no death. */
const wanted = new Set<RunningServer>();
const stopping = new AbortController();
let runId = '';
let starting: Promise<void> = Promise.resolve();
let tempDir: string | undefined;
let unlock: (() => Promise<void>) | undefined;
/** Runs this run's containers, when it has any. */
let engine: Engine | undefined;

function tell(message: FromKeeper): void {
  if (process.connected) process.send?.(message, () => {});
}

function keep(server: RunningServer): void {
  servers.push(server);
  // A container's process may be another machine's.
  const pids = servers.map(({ pid }) => pid).filter((pid) => pid > 0);
  if (tempDir) writeOwner(tempDir, runId, pids);
  void server.exited.then((detail) => {
    if (!stopping.signal.aborted && !wanted.has(server)) tell({ type: 'died', death: { what: server.what, detail } });
  });
}

async function start(message: Extract<ToKeeper, { type: 'start' }>): Promise<void> {
  runId = message.runId;
  const log = (line: string) => tell({ type: 'log', line });
  await removeLeftovers();
  if (message.dataDir) unlock = await lockDataDir(message.dataDir, log);
  tempDir = await createTempDir(runId);
  const env = { ...process.env, [RUN_VARIABLE]: runId };
  const { signal } = stopping;
  signal.throwIfAborted();
  const { servers: wanted, dataDir } = message;
  const onEngine = (found: Engine) => (engine = found);
  const started =
    wanted === 'none'
      ? { kind: wanted, versions: { postgres: '', redis: '' }, servers: [], notes: [] }
      : await startOwnServers({ wanted, runId, tempDir, dataDir, env, log, signal, onServer: keep, onEngine });
  tell({ type: 'started', started: { ...started, tempDir } });
}

/** Ends one server, or starts it where it was: what a run that breaks things asks for. */
async function control({ what, action }: Extract<ToKeeper, { type: 'control' }>): Promise<number> {
  const index = servers.findLastIndex((server) => server.what === what);
  const server = servers[index];
  if (!server) throw new EnvironmentError(`no server is named "${what}"`);
  if (action === 'start') {
    servers.splice(index, 1);
    const again = await server.again();
    keep(again);
    return again.pid;
  }
  wanted.add(server);
  if (action === 'kill') process.kill(server.pid, 'SIGKILL');
  else await server.stop();
  await server.exited;
  return server.pid;
}

async function stop(): Promise<void> {
  if (stopping.signal.aborted) return;
  stopping.abort(new EnvironmentError('stopped while starting'));
  await starting;
  const pids = servers.map((server) => server.pid).filter((pid) => pid > 0);
  await groups.end(runId, GROUP_GRACE_MS, pids);
  await Promise.all(servers.map((server) => server.stop()));
  // Also the half-started ones. An engine that is gone removes nothing; the next start finds them by their labels.
  if (engine) await removeRunContainers(engine, runId).catch(() => {});
  killStrays(runId);
  if (tempDir) await rm(tempDir, { recursive: true, force: true, maxRetries: 5 });
  await unlock?.();
  process.exit(0);
}

process.on('message', (message: ToKeeper) => {
  if (message.type === 'watch') groups.add(message.pid);
  else if (message.type === 'stop') void stop();
  else if (message.type === 'control') {
    const { id } = message;
    control(message).then(
      (pid) => tell({ type: 'controlled', id, pid }),
      (error: unknown) => tell({ type: 'controlled', id, pid: 0, problem: String(error) }),
    );
  } else {
    starting = start(message).catch((error: unknown) => {
      const expected = error instanceof EnvironmentError ? error.message : diskFull(error);
      const message = expected ?? String((error as Error)?.stack ?? error);
      tell({ type: 'failed', expected: expected !== undefined, message });
    });
  }
});
process.on('disconnect', () => void stop());
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
process.on('uncaughtException', (error) => {
  tell({ type: 'died', death: { what: 'the keeper', detail: String(error.stack ?? error) } });
  void stop();
});
// The supervisor's end of the pipe may be gone.
process.stderr.on('error', () => {});
