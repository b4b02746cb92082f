import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILURE_CODE_NAMES } from '#contract/common.ts';
import { REJECTION_CODES, type Image, type UploadReply } from '#contract/images.ts';
import {
  HOSTILE_MAX_PIXELS as MAX_PIXELS,
  hostileCorpus,
  type Hostile,
} from '../../../loadtest/src/images/hostile/corpus.ts';
import { createLocalPool } from '../../src/inference/pool/local.ts';
import { loadModelCard } from '../../src/inference/model.ts';
import type { InferenceBackend } from '../../src/inference/pool/backend.ts';
import { startPath, type Path } from '../roles/path.ts';
import { form, picture } from '../support/pictures.ts';

/** More, or others: `node test/outside/hostile-images.mjs --count 2400 --seed 7`. */
const COUNT = Number(process.env['SEGBENCH_HOSTILE_COUNT'] ?? 320);
const SEED = Number(process.env['SEGBENCH_HOSTILE_SEED'] ?? 1);
const GROUP = 24;
const SHOWN = 20;

let path: Path;
let pool: InferenceBackend;
let projectId: string;
let files: Hostile[];
/** By file name, `accepted` or the code it was refused with; and each message. */
const endings = new Map<string, { code: string; message: string }>();
const images: Image[] = [];
const sound: string[] = [];
const statuses: number[] = [];
const figures: Record<string, unknown> = {};

const call = (url: string, init?: Parameters<Path['server']['call']>[1]) => path.server.call(url, init);
const tally = (keys: readonly string[]) =>
  Object.fromEntries([...new Set(keys)].toSorted().map((key) => [key, keys.filter((each) => each === key).length]));

async function uploadAll(): Promise<void> {
  const groups = Array.from({ length: Math.ceil(files.length / GROUP) }, (_, at) =>
    files.slice(at * GROUP, at * GROUP + GROUP),
  );
  const next = async (): Promise<void> => {
    const group = groups.shift();
    if (!group) return;
    const neighbour = `sound-${groups.length}.png`;
    sound.push(neighbour);
    const good = { name: neighbour, bytes: await picture(groups.length + 7) };
    // In the middle: some of its neighbours are decoded before it, some after.
    const parts = [...group.slice(0, GROUP / 2), good, ...group.slice(GROUP / 2)];
    const reply = await call(`/api/projects/${projectId}/images`, { method: 'POST', body: form(parts) });
    statuses.push(reply.status);
    const { images: accepted, rejected } = (await reply.json()) as UploadReply;
    for (const image of accepted ?? []) {
      images.push(image);
      endings.set(image.name, { code: 'accepted', message: '' });
    }
    for (const { name, code, message } of rejected ?? []) endings.set(name, { code, message });
    return next();
  };
  await Promise.all([next(), next()]);
}
/** Whether others are answered meanwhile, and how late. */
async function whileAsking(work: () => Promise<void>): Promise<{ refused: number; worstMs: number; asked: number }> {
  const seen = { refused: 0, worstMs: 0, asked: 0 };
  let over = false;
  const asking = (async () => {
    while (!over) {
      const begin = performance.now();
      const { status } = await call('/healthz');
      seen.asked++;
      if (status !== 200) seen.refused++;
      seen.worstMs = Math.max(seen.worstMs, Math.round(performance.now() - begin));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await work();
  over = true;
  await asking;
  return seen;
}

beforeAll(async () => {
  files = await hostileCorpus(SEED, COUNT);
  path = await startPath({
    MAX_IMAGE_PIXELS: String(MAX_PIXELS),
    LEASE_MS: '60000',
    FAILURE_PAUSE_RATIO: '1',
    DECODE_TIMEOUT_MS: '30000',
  });
  const made = await call('/api/projects', { method: 'POST', json: { name: 'hostile' } });
  ({ id: projectId } = (await made.json()) as { id: string });
  const begin = performance.now();
  figures['others'] = await whileAsking(uploadAll);
  figures['uploadSeconds'] = Math.round((performance.now() - begin) / 1000);
}, 1_800_000);
afterAll(async () => {
  await path?.close();
  await pool?.close();
});

describe(`${COUNT} hostile files of seed ${SEED}`, () => {
  it('are each accepted or refused with a documented code, the crafted ones with theirs; nothing is lost', () => {
    const wrong = files.flatMap(({ name, what, becomes }) => {
      const ending = endings.get(name);
      if (ending === undefined) return [`${what}: no answer`];
      if (!becomes.includes(ending.code))
        return [`${what}: ${ending.code} (${ending.message}), expected ${becomes.join(' or ')}`];
      if (ending.code !== 'accepted' && !(REJECTION_CODES as readonly string[]).includes(ending.code))
        return [`${what}: ${ending.code} is not documented`];
      // A library's message may carry a path of this machine.
      if (/\/tmp|\/home|\/work|node_modules/.test(ending.message)) return [`${what} shows ${ending.message}`];
      return [];
    });
    const { died, killed, retired, cpuMs } = path.server.app.inspectors.stats();
    Object.assign(figures, {
      seed: SEED,
      files: files.length,
      kinds: tally(files.map(({ kind }) => kind)),
      endings: tally(files.map(({ name }) => endings.get(name)?.code ?? 'none')),
      decoders: { died, killed, retired, cpuSeconds: Math.round(cpuMs / 1000) },
    });
    expect([wrong.length, wrong.slice(0, SHOWN)]).toEqual([0, []]);
  });

  it('leave their neighbours, and whoever asks meanwhile, alone', () => {
    expect(statuses.filter((status) => status !== 201)).toEqual([]);
    expect(sound.filter((name) => endings.get(name)?.code !== 'accepted')).toEqual([]);
    expect((figures['others'] as { refused: number }).refused).toBe(0);
  });

  it('that were accepted end completed or failed with a documented code, and their neighbours completed', async () => {
    const { dir: modelDir } = await loadModelCard(path.server.app.config.modelsDir, 'nuclei');
    await path.relay();
    pool = createLocalPool({ workers: 2, modelDir, provider: 'cpu', timeoutMs: 60_000, maxPixels: MAX_PIXELS });
    await path.worker(pool);
    const begin = performance.now();
    const { id } = await path.start(projectId);
    for (;;) {
      const { finishedAt } = await path.get(id);
      if (finishedAt !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    figures['batchSeconds'] = Math.round((performance.now() - begin) / 1000);
    const rows = await path.sql<{ name: string; status: string; code: string | null }[]>`
      select name, status, error_code as code from images where project_id = ${projectId}`;
    expect(rows).toHaveLength(images.length);
    figures['results'] = tally(rows.map(({ status, code }) => code ?? status));
    figures['restarts'] = pool.stats().workers.reduce((sum, { restarts }) => sum + restarts, 0);
    const codes: readonly (string | null)[] = FAILURE_CODE_NAMES;
    const wrong = rows.filter(
      ({ status, code }) => status !== 'completed' && !(status === 'failed' && codes.includes(code)),
    );
    expect(wrong).toEqual([]);
    const done = new Map(rows.map(({ name, status }) => [name, status]));
    expect(sound.filter((name) => done.get(name) !== 'completed')).toEqual([]);
  }, 3_600_000);

  it('that were accepted are drawn, or refused with a documented code', async () => {
    const seen: string[] = [];
    const wrong: string[] = [];
    const what = new Map(files.map((file) => [file.name, file.what]));
    for (const { id, name } of images) {
      const reply = await call(`/api/images/${id}/render?w=32&f=png`);
      const body = await reply.arrayBuffer();
      const code = reply.status === 200 ? 'drawn' : (JSON.parse(Buffer.from(body).toString()) as { code: string }).code;
      seen.push(code);
      if (!['drawn', 'IMAGE_DAMAGED', 'IMAGE_TOO_LARGE'].includes(code)) wrong.push(`${what.get(name)}: ${code}`);
    }
    figures['pictures'] = tally(seen);
    process.stdout.write(`hostile images: ${JSON.stringify(figures)}\n`);
    expect(wrong).toEqual([]);
  }, 1_800_000);
});
