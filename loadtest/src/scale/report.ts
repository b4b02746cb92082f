import type { NowReply } from '#contract/now.ts';
import type { BalancerServer } from './balancer.ts';
import { isHealthy, isUp, ofService, type Container } from './containers.ts';

export interface ServiceState {
  service: string;
  running: number;
  healthy: number;
  memoryLimitBytes: number;
  /** Containers of more than one image: a deploy goes on, or was broken off. */
  images: number;
}

/** One row a service, in the order of their names. */
export function statesOf(containers: readonly Container[]): ServiceState[] {
  const services = [...new Set(containers.map(({ service }) => service))].sort();
  return services.map((service) => {
    const all = ofService(containers, service).filter(isUp);
    return {
      service,
      running: all.length,
      healthy: all.filter(isHealthy).length,
      memoryLimitBytes: Math.max(0, ...all.map((one) => one.memoryLimitBytes)),
      images: new Set(all.map(({ image }) => image)).size,
    };
  });
}

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
};
const MB = 2 ** 20;

export function statusText(states: readonly ServiceState[], servers: readonly BalancerServer[] | undefined): string {
  if (states.length === 0) return 'nothing runs: npm run scale -- deploy 2';
  const rows = states.map(({ service, running, healthy, memoryLimitBytes, images }) => [
    service,
    String(running),
    String(healthy),
    memoryLimitBytes > 0 ? `${Math.round(memoryLimitBytes / MB)} MB` : 'none',
    images > 1 ? `${images} images: a deploy is not over` : '',
  ]);
  const balancer =
    servers === undefined
      ? 'the balancer does not answer'
      : `balancer: ${servers.map(({ address, status, open }) => `${address} ${status} (${open} open)`).join(', ') || 'no API replica'}`;
  return [...table([['service', 'running', 'healthy', 'memory', ''], ...rows]), '', balancer].join('\n');
}

export interface Pace {
  waiting: number;
  active: number;
  oldestAgeMs: number;
  /** Worker containers that report; one has several inference processes. */
  workers: number;
  inferenceProcesses: number;
  /** Over the last whole minute. */
  imagesPerSecond: number;
  /** Until nothing waits, at this rate; null while nothing moves. */
  drainSeconds: number | null;
}

/** A report is of one inference process, `<worker>/<process>`. */
const workerOf = (id: string): string => id.split('/', 1)[0] ?? id;

export function paceOf({ queue, finished }: Pick<NowReply, 'queue' | 'finished'>): Pace {
  const done = finished.reduce((sum, second) => sum + second.done, 0);
  const imagesPerSecond = done / 60;
  const left = queue.waiting + queue.active;
  return {
    waiting: queue.waiting,
    active: queue.active,
    oldestAgeMs: queue.oldestAgeMs,
    workers: new Set(queue.workers.map(({ id }) => workerOf(id))).size,
    inferenceProcesses: queue.workers.length,
    imagesPerSecond,
    drainSeconds: left === 0 ? 0 : imagesPerSecond > 0 ? left / imagesPerSecond : null,
  };
}

/** Workers that would end what waits in `seconds`, each as fast as those that run now; null where that is not known. */
export function workersFor({ waiting, active, workers, imagesPerSecond }: Pace, seconds: number): number | null {
  if (waiting + active === 0) return 0;
  if (workers === 0 || imagesPerSecond === 0) return null;
  return Math.ceil((waiting + active) / ((imagesPerSecond / workers) * seconds));
}

const HORIZONS = [600, 3600];

export function paceText(pace: Pace): string {
  const lines = [
    `${pace.waiting} images wait, ${pace.active} are in work; the oldest batch has waited ${Math.round(pace.oldestAgeMs / 1000)} s`,
    `${pace.workers} workers with ${pace.inferenceProcesses} inference processes: ${pace.imagesPerSecond.toFixed(1)} images/s in the last minute`,
  ];
  if (pace.drainSeconds === 0) return [...lines, 'nothing is left to do'].join('\n');
  if (pace.drainSeconds === null)
    return [...lines, 'nothing ended in the last minute: npm run scale -- status says what runs'].join('\n');
  const answers = HORIZONS.map((seconds) => `${workersFor(pace, seconds)} in ${seconds / 60} minutes`);
  return [
    ...lines,
    `done in ${Math.ceil(pace.drainSeconds)} s at this rate; workers for the same work: ${answers.join(', ')}`,
  ].join('\n');
}
