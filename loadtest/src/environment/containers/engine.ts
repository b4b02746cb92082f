import type { ContainerRuntimeClient } from 'testcontainers';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { imageNames, ryukImage } from './images.ts';

/** A container engine that answers, and how its containers are reached. */
export interface Engine {
  client: ContainerRuntimeClient;
  version: string;
  /** Published ports are on this machine's loopback address. */
  local: boolean;
  host: string;
}

const ANSWERS_WITHIN_MS = 5000;
const PULL_WITHIN_MS = 180_000;

export interface Limit {
  ms: number;
  /** What does not answer, for the message. */
  what: string;
  signal?: AbortSignal | undefined;
}

/** What `work` gives, or a rejection: an engine that hangs holds nobody up, and neither does a stop. */
export async function within<T>({ ms, what, signal }: Limit, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  work.catch(() => {});
  const ended = signal ? AbortSignal.any([done.signal, signal]) : done.signal;
  const late = sleep(ms, undefined, { signal: ended }).then(
    (): never => {
      throw new Error(`${what}: no answer in ${ms / 1000} s`);
    },
    (): never => {
      throw (signal?.reason as Error | undefined) ?? new Error(`${what}: stopped`);
    },
  );
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

/**
 * Whether the engine's loopback address is ours. The library takes any machine with a file `/.dockerenv` for a container and gives the
 * bridge's address then; an engine that has our own name is here all the same.
 */
export const isLocal = (host: string, engineName: string, ourName = hostname()): boolean =>
  host === 'localhost' || engineName === ourName;

/** The engine that testcontainers finds (`DOCKER_HOST`, the usual sockets), or why there is none. */
export async function findEngine(): Promise<Engine | string> {
  try {
    // Loaded only where it is wanted: it takes half a second.
    const { getContainerRuntimeClient } = await import('testcontainers');
    const client = await within({ ms: ANSWERS_WITHIN_MS, what: 'the Docker engine' }, getContainerRuntimeClient());
    const { host, serverVersion } = client.info.containerRuntime;
    const asked = client.container.dockerode.info() as Promise<{ Name: string }>;
    const { Name } = await within({ ms: ANSWERS_WITHIN_MS, what: 'the Docker engine' }, asked);
    return { client, version: String(serverVersion), host, local: isLocal(host, Name) };
  } catch (error) {
    const reason = reasonOf(error);
    return reason.startsWith('Could not find') ? 'no Docker engine answers' : `no Docker engine answers (${reason})`;
  }
}

const ASKED_EVERY_MS = 1000;

/** Resolves with the reason when the engine no longer answers: a stream that it cut off in the middle tells nothing. */
export async function engineLoss({ client }: Engine): Promise<string> {
  for (;;) {
    await sleep(ASKED_EVERY_MS, undefined, { ref: false });
    try {
      await within({ ms: ANSWERS_WITHIN_MS, what: 'ping' }, client.container.dockerode.ping());
    } catch (error) {
      return reasonOf(error);
    }
  }
}

async function present({ client }: Engine, image: string): Promise<boolean> {
  try {
    await client.container.dockerode.getImage(image).inspect();
    return true;
  } catch {
    return false;
  }
}

/** Pulls what is missing of the two images. @returns why one cannot be had, `undefined` when both are there */
export async function ensureImages(
  engine: Engine,
  { env, log, signal }: { env: NodeJS.ProcessEnv; log: (line: string) => void; signal?: AbortSignal },
): Promise<string | undefined> {
  const { ImageName } = await import('testcontainers');
  const { postgres, redis } = imageNames(env);
  for (const image of [postgres, redis]) {
    if (await present(engine, image)) continue;
    log(`pulling the image ${image}`);
    try {
      await within(
        { ms: PULL_WITHIN_MS, what: `pulling ${image}`, signal },
        engine.client.image.pull(ImageName.fromString(image)),
      );
    } catch (error) {
      signal?.throwIfAborted();
      return `the image ${image} is not there and cannot be pulled (${reasonOf(error)})`;
    }
    if (!(await present(engine, image))) return `the image ${image} is not there and cannot be pulled`;
  }
  return undefined;
}

/**
 * Ryuk removes containers even when keeper and supervisor are both killed, but needs an image of its own: without it the keeper is the only
 * watchdog, and the next start removes what it left. Must come before the first container. @returns whether it runs
 */
export async function decideOnRyuk(engine: Engine): Promise<boolean> {
  if (process.env['TESTCONTAINERS_RYUK_DISABLED'] === 'true') return false;
  if (await present(engine, ryukImage(process.env))) return true;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  return false;
}
