/** A thread of the generator: draws and writes every `stride`-th image, and posts one record an image. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { encodeGrey } from './encode.ts';
import type { GeneratedImage, GeneratorTask } from './generator.ts';
import { planImage } from './plan.ts';
import { EXTENSION, synthesise } from './synthesise.ts';

const task = workerData as GeneratorTask;
sharp.concurrency(1);
sharp.cache(false);

for (let index = task.first; index < task.count; index += task.stride) {
  const plan = planImage(task.seed, index, task.limits);
  const image = await synthesise(task.seed, plan);
  const file = `${plan.stem}.${EXTENSION[plan.format]}`;
  const writes = [writeFile(join(task.directory, 'images', file), image.file)];
  if (index < task.labels) {
    const labels = await encodeGrey(image.labels, plan.width, plan.height, 'png');
    writes.push(writeFile(join(task.directory, 'labels', `${plan.stem}.png`), labels));
  }
  await Promise.all(writes);
  const record: GeneratedImage = {
    index,
    id: plan.stem,
    name: file,
    width: plan.width,
    height: plan.height,
    bitDepth: plan.bitDepth,
    cells: image.cells,
    bytes: image.file.length,
    sha256: createHash('sha256').update(image.file).digest('hex'),
    kind: 'fluorescence',
    split: 'synthetic',
  };
  parentPort?.postMessage(record);
}
