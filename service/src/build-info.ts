import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';
import { VERSION } from './version.ts';

/** Which build a process runs, to be joined to whatever changed with it. */
export function showBuild({ registers }: Pick<Metrics, 'registers'>): void {
  const info = new Gauge({
    name: 'segbench_build_info',
    help: 'Version of the service and of Node: always 1.',
    labelNames: ['version', 'node'] as const,
    registers,
  });
  info.set({ version: VERSION, node: process.versions.node }, 1);
}
