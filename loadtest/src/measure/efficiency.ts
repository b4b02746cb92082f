import type { RunData } from '../contract.ts';
import { cpuBetween, type CpuReading } from './processes.ts';

/** Every process of the service; database and queue are apart (contract, section 2). */
export const SERVICE_ROLES = ['api', 'relay', 'worker', 'inference'];

export interface BareLoop {
  images: number;
  /** User and system time of the process while it looped. */
  cpuMs: number;
  wallMs: number;
}

/** CPU of the bare loop over CPU of the service, an image; and how fast each was. */
export function efficiencyOf(input: {
  bare: BareLoop | null;
  images: number;
  cpu: { before: CpuReading; after: CpuReading } | undefined;
  batchMs: number;
  workers: number;
}): RunData['efficiency'] {
  const { bare, images, cpu, batchMs, workers } = input;
  const imagesPerSecond = images > 0 && batchMs > 0 ? (images / batchMs) * 1000 : null;
  const serviceMs = cpu && images > 0 ? (cpuBetween(cpu.before, cpu.after, SERVICE_ROLES) * 1000) / images : null;
  const bareMs = bare && bare.images > 0 ? bare.cpuMs / bare.images : null;
  // What as many bare loops as there are workers would do, each on a core of its own.
  const rawImagesPerSecond = bareMs === null ? null : (workers * 1000) / bareMs;
  return {
    cpuRatio: bareMs !== null && serviceMs ? bareMs / serviceMs : null,
    imagesPerSecond,
    rawImagesPerSecond,
    throughputRatio: imagesPerSecond !== null && rawImagesPerSecond ? imagesPerSecond / rawImagesPerSecond : null,
  };
}
