/**
 * A segbench that runs already. SEGBENCH_URL: where it is; SEGBENCH_KEY: an API key with `write`; SEGBENCH_PID: the process of `npm start`,
 * where it runs on this machine: its CPU time is compared then. For two services, a file of three lines each:
 *
 *   import { segbench } from './segbench.ts';
 *   export default () => segbench({ url: 'http://127.0.0.1:8081', key: process.env.KEY_A ?? '', pid: 4711 });
 */
import { createOurTarget } from '../../loadtest/src/targets/ours.ts';
import type { Target } from '../../loadtest/src/targets/target.ts';

export function segbench({ url, key, pid }: { url: string; key: string; pid?: number }): Target {
  const target = createOurTarget({ url, key });
  return pid === undefined ? target : { ...target, processes: () => Promise.resolve([pid]) };
}

export default function createTarget(): Target {
  const { SEGBENCH_URL, SEGBENCH_KEY, SEGBENCH_PID } = process.env;
  if (!URL.canParse(SEGBENCH_URL ?? ''))
    throw new Error(`SEGBENCH_URL is "${SEGBENCH_URL ?? ''}", expected an address`);
  const pid = SEGBENCH_PID === undefined ? {} : { pid: Number(SEGBENCH_PID) };
  return segbench({ url: SEGBENCH_URL ?? '', key: SEGBENCH_KEY ?? '', ...pid });
}
