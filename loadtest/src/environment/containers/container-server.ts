import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GenericContainer } from 'testcontainers';
import { EnvironmentError } from '../errors.ts';
import type { RunningServer } from '../postgres.ts';
import { isAlive, startTicks } from '../processes.ts';
import { within, type Engine } from './engine.ts';
import { ownerLabels, removeContainer } from './leftovers.ts';

export interface ContainerSpec {
  what: string;
  image: string;
  /** Inside the container. */
  port: number;
  /** Found in the log when the server is about to take connections. */
  ready: RegExp;
  /** Command, variables and files. */
  prepare: (container: GenericContainer) => GenericContainer;
  urlOf: (host: string, port: number) => string;
  /** Asks the server over its published port; its answer, the version, is what "ready" means. */
  ask: (url: string) => Promise<string>;
}
export interface ContainerOptions {
  engine: Engine;
  runId: string;
  signal: AbortSignal;
  /** Resolves with the reason when the engine no longer answers. */
  lost: Promise<string>;
}

const READY_WITHIN_MS = 60_000;
const STARTED_WITHIN_MS = 90_000;
const TAIL_LINES = 4;
/** An orderly end, SIGKILL and SIGTERM: what a stop from outside leaves. */
const STOPPED_CODES = [0, 137, 143];

/** Keeps the end of a container's log: it says why, when the container ends. */
function createTail() {
  let text = '';
  return {
    add: (chunk: Buffer | string): void => void (text = (text + chunk.toString()).slice(-16_384)),
    text: (): string => text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n') || '(none)',
  };
}

/** The main process as this machine knows it; 0 where the engine is elsewhere (another machine, a virtual one). */
function localPid(pid: number, containerId: string): number {
  try {
    return pid > 0 && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(containerId) ? pid : 0;
  } catch {
    return 0;
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const howItEnded = (code: number): string =>
  STOPPED_CODES.includes(code)
    ? `was stopped (code ${code}), by somebody or with the Docker engine`
    : `ended with code ${code}`;

/** Resolves with a sentence when the container ends, or when nobody can say any more whether it has. */
async function ending({ engine, lost }: ContainerOptions, id: string, tail: () => string): Promise<string> {
  const waiting = engine.client.container.dockerode.getContainer(id).wait() as Promise<{ StatusCode: number }>;
  const gone = (reason: string) =>
    `the Docker engine that runs its container no longer answers (${reason}): start it again, or use --environment embedded`;
  return await Promise.race([
    waiting.then(
      ({ StatusCode }) => `its container ${howItEnded(StatusCode)}; its last lines:\n${tail()}`,
      (error: unknown) => gone(wordsOf(error)),
    ),
    lost.then(gone),
  ]);
}

/** Until the server answers; the last refusal tells why it never did. */
async function untilAnswered(spec: ContainerSpec, url: string, signal: AbortSignal): Promise<string> {
  for (const until = Date.now() + READY_WITHIN_MS; ;) {
    signal.throwIfAborted();
    try {
      return await spec.ask(url);
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(100);
    }
  }
}

/** One server in a container. Rejects with an EnvironmentError that carries the end of the container's log; what it began is removed by run id. */
export async function startContainer(spec: ContainerSpec, options: ContainerOptions): Promise<RunningServer> {
  const { engine, runId, signal } = options;
  const { GenericContainer, Wait } = await import('testcontainers');
  const tail = createTail();
  /** The library publishes ports to every network this machine is in; these servers are nobody else's. */
  class OnLoopback extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      const bindings = Object.values(this.hostConfig.PortBindings ?? {}) as { HostIp?: string }[][];
      if (engine.local) for (const binding of bindings.flat()) binding.HostIp = '127.0.0.1';
    }
  }
  const container = spec
    .prepare(new OnLoopback(spec.image))
    .withExposedPorts(spec.port)
    .withLabels(ownerLabels(runId))
    .withLogConsumer((stream) => stream.on('data', tail.add).on('error', () => {}))
    .withWaitStrategy(Wait.forLogMessage(spec.ready))
    .withStartupTimeout(READY_WITHIN_MS);
  try {
    const starting = container.start();
    // A stop waits a little for a container that is just being made, so that it can be removed.
    const started = await within({ ms: STARTED_WITHIN_MS, what: spec.what, signal }, starting).catch(
      async (error: unknown) => {
        if (signal.aborted) await within({ ms: 3000, what: spec.what }, starting).catch(() => {});
        throw error;
      },
    );
    const id = started.getId();
    const { State } = await engine.client.container.dockerode.getContainer(id).inspect();
    const pid = localPid(State.Pid, id);
    const ticks = startTicks(pid);
    const url = spec.urlOf(engine.local ? '127.0.0.1' : started.getHost(), started.getMappedPort(spec.port));
    const exited = ending(options, id, tail.text);
    const version = await Promise.race([
      untilAnswered(spec, url, signal),
      exited.then((how) => Promise.reject(new EnvironmentError(how))),
    ]);
    const stop = async (): Promise<void> => {
      await removeContainer(engine, id).catch(() => {
        // Without its engine a container runs on: its first process takes the others with it.
        if (pid > 0 && isAlive(pid, ticks)) process.kill(pid, 'SIGKILL');
      });
    };
    const again = () => Promise.reject(new EnvironmentError(`${spec.what} in a container is not started again`));
    return { what: spec.what, pid, exited, stop, again, url, version };
  } catch (error) {
    signal.throwIfAborted();
    const why =
      error instanceof EnvironmentError ? wordsOf(error) : `${wordsOf(error)}; its last lines:\n${tail.text()}`;
    throw new EnvironmentError(`${spec.what} in a container of ${spec.image} did not start: ${why}`, { cause: error });
  }
}
