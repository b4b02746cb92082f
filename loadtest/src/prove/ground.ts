import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEnvironment } from '../environment/index.ts';
import { startFleet } from '../load/fleet.ts';
import { createClosers } from '../run/closers.ts';
import type { DescribedServices } from '../run/machine.ts';
import { poolText, type RunInput } from '../run/run-input.ts';
import { orStop } from '../run/stop.ts';
import { loadTarget } from '../targets/load-target.ts';
import { createOurTarget } from '../targets/ours.ts';
import type { Target } from '../targets/target.ts';

/** Where a proof happens: our own service, started for it, or somebody else's that runs already. */
export interface ProofGround {
  target: Target;
  /** As messages name it. */
  name: string;
  tempDir: string;
  processes: { role: string; pid: number }[];
  servers: { what: string; pid: number }[];
  /** Undefined: nothing was started here. */
  services: DescribedServices | undefined;
  close(): Promise<void>;
}

/** @throws UsageError for an adapter that is none, EnvironmentError for a service that does not start */
export function startGround(input: RunInput): Promise<ProofGround> {
  const { target } = input.options;
  return target === undefined ? startOurs(input) : startTheirs(target);
}

async function startTheirs(path: string): Promise<ProofGround> {
  const target = await loadTarget(path);
  const tempDir = await mkdtemp(join(tmpdir(), 'segbench-prove-'));
  return {
    target,
    name: path,
    tempDir,
    processes: [],
    servers: [],
    services: undefined,
    close: () => rm(tempDir, { recursive: true, force: true }),
  };
}

async function startOurs({ options, progress, stop, settings }: RunInput): Promise<ProofGround> {
  const log = (line: string) => progress.line(line);
  const closers = createClosers(log);
  let closing = false;
  const close = () => {
    closing = true;
    return closers.closeAll();
  };
  try {
    const environment = await startEnvironment({ kind: options.environment, log, signal: stop.signal });
    closers.add(() => environment.stop());
    void environment.died.then(({ what, detail }) => closing || stop.lost(`${what} is gone: ${detail.slice(0, 300)}`));
    const fleet = await startFleet({
      ground: environment,
      settings: { WORKERS: String(options.workers), POOL: poolText(options), ...settings },
      log,
      stop,
    });
    closers.add(() => fleet.close());
    const started = await orStop(
      stop.signal,
      Promise.all((['api', 'relay', 'worker'] as const).map((role) => fleet.start(role))),
    );
    const url = started[0]?.url;
    if (url === undefined) throw new Error('the API has no address');
    return {
      target: createOurTarget({ url, key: fleet.key, workers: options.workers }),
      name: 'segbench',
      tempDir: environment.tempDir,
      processes: started.map(({ role, pid }) => ({ role, pid })),
      servers: environment.servers,
      services: { environment, browserVersion: '' },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
