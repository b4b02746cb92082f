import type { BareFigures } from '../../../service/src/inference/bare.ts';
import type { RunData } from '../contract.ts';
import { cpuBetween, type CpuReading } from './processes.ts';

/** Every process of the service; database and queue are apart (docs/measuring.md). */
export const SERVICE_ROLES = ['api', 'relay', 'worker', 'inference'];

export type BareLoop = Pick<BareFigures, 'cpuMsPerImage' | 'imagesPerSecond'>;

/** CPU of the bare loops (as many as workers, side by side) over CPU of the service, an image; and how fast each was. */
export function efficiencyOf(input: {
  bare: BareLoop | null;
  images: number;
  cpu: { before: CpuReading; after: CpuReading } | undefined;
  batchMs: number;
}): RunData['efficiency'] {
  const { bare, images, cpu, batchMs } = input;
  const imagesPerSecond = images > 0 && batchMs > 0 ? (images / batchMs) * 1000 : null;
  const serviceMs = cpu && images > 0 ? (cpuBetween(cpu.before, cpu.after, SERVICE_ROLES) * 1000) / images : null;
  const rawImagesPerSecond = bare && bare.imagesPerSecond;
  return {
    cpuRatio: bare && serviceMs ? bare.cpuMsPerImage / serviceMs : null,
    imagesPerSecond,
    rawImagesPerSecond,
    throughputRatio: imagesPerSecond !== null && rawImagesPerSecond ? imagesPerSecond / rawImagesPerSecond : null,
  };
}
