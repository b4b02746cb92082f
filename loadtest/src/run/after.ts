import { availableParallelism } from 'node:os';
import { loadModelCard } from '../../../service/src/inference/model.ts';
import type { Accuracy, RunData } from '../contract.ts';
import { evenSample, runBareLoop } from '../measure/bare.ts';
import { efficiencyOf } from '../measure/efficiency.ts';
import { serviceAccuracy, type LabelledImage } from '../measure/service-accuracy.ts';
import { need, uploadedOf, type Bench } from './bench.ts';
import { MODEL, MODELS_DIR } from './machine.ts';
import { orStop } from './stop.ts';

/** Synthetic images scored against their exact truth; of real ones with labels, all. */
const SYNTHETIC_SCORED = 100;

/** The bare loop on the same images, in as many processes as there are workers (at most one a core), the service idle. */
export async function measureEfficiency(bench: Bench, workers: number): Promise<RunData['efficiency']> {
  const { batch, finishedAtMs } = need(bench.first, 'the batch');
  const uploaded = uploadedOf(bench);
  const { dir } = await loadModelCard(MODELS_DIR, MODEL);
  bench.progress.phase('bare loop');
  const bare = await orStop(
    bench.signal,
    runBareLoop({
      files: uploaded.map(({ file }) => file.path),
      modelDir: dir,
      processes: Math.min(workers, availableParallelism()),
      directory: bench.services.environment.tempDir,
      env: bench.services.environment.env,
      signal: bench.signal,
    }),
  );
  bench.progress.done(`${bare.cpuMsPerImage.toFixed(1)} CPU ms an image`);
  await bench.folder.json('raw/bare.json', bare);
  return efficiencyOf({
    bare: bare.count > 0 ? bare : null,
    images: batch.counts.completed + batch.counts.failed,
    cpu: bench.cpuOfBatch,
    batchMs: finishedAtMs - Date.parse(batch.startedAt ?? batch.createdAt),
  });
}

export async function measureAccuracyOf(bench: Bench): Promise<Accuracy | null> {
  const { set, services, signal } = bench;
  const labelsByPath = new Map(set.images.map(({ path, labelsPath }) => [path, labelsPath]));
  const labelled = uploadedOf(bench).flatMap(({ image, file }): LabelledImage[] => {
    const labelsPath = labelsByPath.get(file.path);
    return labelsPath ? [{ imageId: image.id, name: file.name, labelsPath }] : [];
  });
  const chosen = set.source === 'synthetic' ? evenSample(labelled, SYNTHETIC_SCORED) : labelled;
  if (chosen.length === 0) return null;
  bench.progress.phase('accuracy');
  const accuracy = await orStop(signal, serviceAccuracy(services.client, chosen, set, signal));
  bench.progress.done(accuracy ? `AP50 ${accuracy.ap50.toFixed(3)} on ${accuracy.images} images` : 'no labels');
  return accuracy;
}
