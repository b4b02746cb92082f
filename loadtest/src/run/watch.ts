import { createLagMeter, foreignShare, readMachineCpu } from '../measure/noise.ts';
import { createProcessSampler } from '../measure/processes.ts';
import { pressureBetween, readCpuPressure } from '../measure/psi.ts';
import type { NoiseInfo } from '../contract.ts';
import type { Services } from './services.ts';

const INFERENCE = () => 'inference';

/** What runs beside the harness. */
interface Watched {
  processes: readonly { role: string; pid: number }[];
  environment: Pick<Services['environment'], 'servers'>;
  browser?: Services['browser'];
}

/** Everything that watches the machine while phases run: processes by role, foreign load, pressure, the harness's own lateness. */
export async function startWatch(services: Watched) {
  const sampler = createProcessSampler();
  sampler.watch({ role: 'harness', pid: process.pid, alone: true });
  for (const { role, pid } of services.processes)
    sampler.watch({ role, pid, ...(role === 'worker' ? { childRole: INFERENCE } : {}) });
  for (const { what, pid } of services.environment.servers) sampler.watch({ role: what, pid });
  const browserPid = services.browser?.process()?.pid;
  if (browserPid) sampler.watch({ role: 'browser', pid: browserPid });

  const lag = createLagMeter();
  const own = sampler.cpu();
  const [cpu, pressure] = await Promise.all([readMachineCpu(), readCpuPressure()]);
  sampler.start();
  const sum = (byRole: Record<string, number>) => Object.values(byRole).reduce((total, seconds) => total + seconds, 0);
  return {
    sampler,
    async end(): Promise<{ noise: NoiseInfo; psiCpuSome: number | null }> {
      const ownNow = sampler.cpu();
      const [cpuNow, pressureNow] = await Promise.all([readMachineCpu(), readCpuPressure()]);
      sampler.stop();
      lag.stop();
      return {
        noise: {
          foreignCpuShare: foreignShare(cpu, cpuNow, sum(ownNow.byRole) - sum(own.byRole)),
          generatorLagP99Ms: lag.p99Ms(),
        },
        psiCpuSome: pressureBetween(pressure, pressureNow),
      };
    },
  };
}
export type Watch = Awaited<ReturnType<typeof startWatch>>;
