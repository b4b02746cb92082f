import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planSet } from '../../loadtest/src/images/plan.ts';
import { synthesise } from '../../loadtest/src/images/synthesise.ts';
import { poolAccuracy, scoreImage } from '../../loadtest/src/judge/accuracy.ts';
import { decodeGray, prepareSharp } from '../../service/src/inference/decode.ts';
import { scaleOf } from '../../service/src/inference/normalise.ts';
import { runModel } from '../../service/src/inference/probabilities.ts';
import { createSession } from '../../service/src/inference/session.ts';
import { warningsOf } from '../../service/src/inference/statistics.ts';
import { findInstances } from '../../service/src/inference/watershed.ts';
import { createWorkspaces } from '../../service/src/inference/workspace.ts';

// node test/figures/warnings.mjs DATA [KNOWS.json] [COUNT]: which images are called unlike those of the training, by type, and how well the
// model does on synthetic ones that are and are not (the first COUNT of bulk-1000, 200). KNOWS.json: other ranges than the shipped card's.
const [data, file, count = '200'] = process.argv.slice(2);
const MODEL = join(import.meta.dirname, '../../service/models/nuclei/1');
const OPTIONS = { channel: null, page: 0, maxPixels: 64e6 };

prepareSharp();
const session = await createSession(MODEL, 'cpu');
const knows = file ? JSON.parse(readFileSync(file, 'utf8')) : session.card.knows;
const isWarned = (image) => warningsOf(knows, image, scaleOf(image.data)).length > 0;
const shares = new Map();
function tally(type, warned) {
  const [yes, of] = shares.get(type) ?? [0, 0];
  shares.set(type, [yes + Number(warned), of + 1]);
}

for (const { id, kind, split } of JSON.parse(readFileSync(join(data, 'manifest.json'), 'utf8'))) {
  const image = await decodeGray(join(data, 'images', `${id}.png`), OPTIONS);
  tally(`${kind}, ${split}`, isWarned(image));
  if (kind === 'fluorescence') tally(`${kind}, inverted`, isWarned({ ...image, data: image.data.map((v) => 255 - v) }));
}
const folder = await mkdtemp(join(tmpdir(), 'segbench-warnings-'));
const drawn = join(folder, 'image');
const scores = { warned: [], other: [] };
const workspaceOf = createWorkspaces();
for (const plan of planSet(1, Number(count))) {
  const { file: bytes, labels: truth, cells } = await synthesise(1, plan);
  await writeFile(drawn, bytes);
  const image = await decodeGray(drawn, OPTIONS);
  const { width, height } = image;
  const warned = isWarned(image);
  tally(`synthetic, ${cells === 0 ? 'no cell' : 'cells'}`, warned);
  const workspace = workspaceOf(width * height);
  await runModel(session, image, workspace);
  const { labels } = findInstances(workspace, width, height, { ...session.card.instances, threshold: 0.5 }, workspace);
  scores[warned ? 'warned' : 'other'].push(scoreImage(truth, labels.subarray(0, width * height)));
}
await rm(folder, { recursive: true });
console.log('| images | warned of |\n| --- | --- |');
for (const [type, [yes, of]] of [...shares].toSorted(([one], [other]) => (one < other ? -1 : 1)))
  console.log(`| ${type} | ${yes} of ${of} |`);
for (const [name, some] of Object.entries(scores)) {
  const { images, ap50, ap75 } = poolAccuracy(some, name, null) ?? { images: 0 };
  console.log(
    images === 0
      ? `${name}: none`
      : `synthetic, ${name}: ${images} images, AP ${ap50.toFixed(3)}, ${ap75.toFixed(3)} at 0.5, 0.75`,
  );
}
