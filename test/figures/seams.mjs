import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeGray, prepareSharp } from '../../service/src/inference/decode.ts';
import { runModel } from '../../service/src/inference/probabilities.ts';
import { createSession } from '../../service/src/inference/session.ts';
import { HALO, MAX_TILE } from '../../service/src/inference/tiles.ts';
import { findInstances } from '../../service/src/inference/watershed.ts';
import { createWorkspaces } from '../../service/src/inference/workspace.ts';
import { randomOf } from '../../service/test/inference/reference/masks.ts';
import { compareLabels, crowdedField } from '../../service/test/inference/seams.ts';
import { figure } from './tell.mjs';

// node test/figures/seams.mjs [SIDE] [DATA] [--keep]: an image of SIDE x SIDE (4096) in the service's tiles against the same image whole.
// DATA: a folder with manifest.json and images/<id>.png, whose pieces are laid side by side; without it cells are generated.
// Exit 1 where objects changed on too much of the area with the service's halo.
const MODEL = join(import.meta.dirname, '../../service/models/nuclei/1');
const LARGEST_AREA = 0.005;
const { words, tell } = figure();
const side = Number(words[0] ?? 4096);
const data = words[1];

/** Real images of split val side by side: shifted by up to a third of themselves, mirrored, with their brightness changed. */
async function mosaic(folder) {
  const random = randomOf(5);
  const rows = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const pieces = [];
  for (const { id } of rows.filter(({ split, kind }) => split === 'val' && kind === 'fluorescence'))
    pieces.push(await decodeGray(join(folder, 'images', `${id}.png`), { channel: null, page: 0, maxPixels: 64e6 }));
  const out = new Uint8Array(side * side);
  for (let top = 0; top < side; top += 256)
    for (let left = 0; left < side; left += 256) {
      const piece = pieces[Math.floor(random() * pieces.length)];
      const [fromX, fromY] = [Math.floor(random() * 85), Math.floor(random() * 85)];
      const [flipX, flipY, gain] = [random() < 0.5, random() < 0.5, 0.7 + 0.6 * random()];
      for (let y = 0; y < Math.min(256, side - top); y++)
        for (let x = 0; x < Math.min(256, side - left); x++) {
          const px = (fromX + (flipX ? 255 - x : x)) % piece.width;
          const py = (fromY + (flipY ? 255 - y : y)) % piece.height;
          out[(top + y) * side + left + x] = Math.min(255, piece.data[py * piece.width + px] * gain + 3 * random());
        }
    }
  return { width: side, height: side, data: out };
}

await tell(async () => {
  prepareSharp();
  const session = await createSession(MODEL, 'cpu');
  const image = data === undefined ? crowdedField(side, 3) : await mosaic(data);
  const segment = async (tiling) => {
    const workspace = createWorkspaces()(side * side);
    await runModel(session, image, workspace, { tiling });
    return findInstances(workspace, side, side, { threshold: 0.5, detectHoles: true }, workspace).labels;
  };
  const whole = await segment({ maxTile: Math.ceil(side / 16) * 16, halo: HALO });
  const wholeMiB = process.resourceUsage().maxRSS >> 10;
  const found = [];
  for (const halo of [16, 32, 64, HALO])
    found.push({ halo, ...compareLabels(whole, await segment({ maxTile: MAX_TILE, halo })) });
  const { changedArea } = found.at(-1);
  return {
    table: {
      title: `Seams in an image of ${side}²`,
      note: `In tiles of ${MAX_TILE}² against the same image whole (${wholeMiB} MiB at most); ${data ? 'real images side by side' : 'generated cells'}. The service's halo is ${HALO} pixels.`,
      columns: [
        { name: 'halo, pixels' },
        { name: 'objects', unit: 'count' },
        { name: 'changed', unit: 'count' },
        { name: 'on' },
        { name: 'other pixels' },
      ],
      rows: found.map(({ halo, objects, changed, changedArea: area, differentPixels }) => [
        String(halo),
        objects,
        changed,
        `${(100 * area).toFixed(4)} % of the area`,
        `${(100 * differentPixels).toFixed(5)} %`,
      ]),
    },
    limits: [
      {
        text: `objects changed on ${(100 * changedArea).toFixed(4)} % of the area, less than ${100 * LARGEST_AREA} %`,
        holds: changedArea < LARGEST_AREA,
      },
    ],
  };
});
