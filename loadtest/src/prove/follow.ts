import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import type { ProveScenario } from '../../../scenarios/scenario.ts';
import { parallel } from '../drivers/parallel.ts';
import type { ImageSet } from '../images/image-set.ts';
import type { Progress } from '../run/progress.ts';
import { orStop, pause } from '../run/stop.ts';
import { isEnd, type Target, type TargetEvent } from '../targets/target.ts';
import type { Line } from './line.ts';
import type { Journal, ProofFault } from './records.ts';

const COUNT_EVERY_MS = 250;

export interface Proof {
  target: Required<Target>;
  scenario: Pick<ProveScenario, 'upload' | 'batch' | 'follow'>;
  set: Pick<ImageSet, 'images'>;
  fault: ProofFault;
  journal: Journal;
  line: Line;
  signal: AbortSignal;
  progress: Progress;
  /** Whether the adapter breaks its own connection. */
  cutsItself: boolean;
}

/** Images in, one fault on the way, and everything that came of it into the journal. */
export async function prove(proof: Proof): Promise<void> {
  const { target, set, journal, signal, progress } = proof;
  const images = set.images.length;
  /** Ids whose end was told, and when. */
  const told = new Map<string, number>();
  const all = Promise.withResolvers<void>();
  const accepted: string[] = [];
  const strikeAt = Math.max(1, Math.ceil(images * proof.scenario.follow.faultAtShare));
  let struck = proof.fault === 'none';
  let complete = false;
  const check = () => complete && accepted.every((id) => told.has(id)) && all.resolve();

  await target.events((event: TargetEvent) => {
    journal.add({ ...event, type: 'event', atMs: Date.now() });
    if (!isEnd(event.status) || told.has(event.imageId)) return;
    told.set(event.imageId, Date.now());
    if (accepted.length > 0) progress.update(told.size);
    if (!struck && told.size >= strikeAt) {
      struck = true;
      strike(proof, told.size);
    }
    if (told.size >= accepted.length) check();
  });
  await upload(proof, accepted);
  progress.phase('batch', accepted.length);
  if (accepted.length > 0) {
    const open = () => accepted.reduce((sum, id) => sum + (told.has(id) ? 0 : 1), 0);
    const counting = setInterval(() => journal.add({ type: 'count', atMs: Date.now(), open: open() }), COUNT_EVERY_MS);
    try {
      const fromMs = Date.now();
      await target.start(accepted, { threshold: proof.scenario.batch.threshold });
      journal.add({ type: 'start', images: accepted.length, fromMs, toMs: Date.now() });
      complete = true;
      check();
      await awaitEnds(proof, accepted, told, all.promise);
    } finally {
      clearInterval(counting);
    }
  }
  progress.done(`${told.size} of ${accepted.length} told`);
  progress.phase('ask', accepted.length);
  let asked = 0;
  const { idsPerCall } = proof.scenario.follow;
  const groups = Array.from({ length: Math.ceil(accepted.length / idsPerCall) }, (_, at) =>
    accepted.slice(at * idsPerCall, (at + 1) * idsPerCall),
  );
  await parallel(
    groups,
    2,
    async (ids) => {
      for (const state of await target.results(ids))
        journal.add({ ...state, type: 'ask', atMs: Date.now(), final: true });
      progress.update((asked += ids.length));
    },
    signal,
  );
  progress.done();
}

function strike({ fault, line, target, journal, cutsItself, progress }: Proof, told: number): void {
  if (fault === 'none') return;
  const own = cutsItself && fault === 'cut';
  if (own) target.cut();
  const met = line.strike(fault);
  void met.then((connections) => {
    const all = connections + (own ? 1 : 0);
    journal.add({ type: 'fault', fault, atMs: Date.now(), connections: all, told });
    progress.line(`fault "${fault}" at ${told} images told: ${all} connections`);
  });
}

async function upload({ target, scenario, set, journal, signal, progress }: Proof, accepted: string[]): Promise<void> {
  const { filesPerCall, concurrency } = scenario.upload;
  const { images } = set;
  progress.phase('upload', images.length);
  const groups = Array.from({ length: Math.ceil(images.length / filesPerCall) }, (_, at) =>
    images.slice(at * filesPerCall, (at + 1) * filesPerCall),
  );
  const known = new Set<string>();
  let done = 0;
  await parallel(
    groups,
    concurrency,
    async (group) => {
      const files = await Promise.all(
        group.map(async ({ name, path, mimeType, sha256 }) => ({
          name,
          path,
          mimeType,
          sha256,
          bytes: new Uint8Array(await readFile(path)),
        })),
      );
      const fromMs = Date.now();
      const answers = await target.upload(files);
      const toMs = Date.now();
      for (const answer of answers) {
        const imageId = 'imageId' in answer ? answer.imageId : null;
        const rejected = 'rejected' in answer ? { rejected: answer.rejected } : {};
        journal.add({ type: 'upload', name: answer.name, imageId, ...rejected, fromMs, toMs });
        if (imageId === null || known.has(imageId)) continue;
        known.add(imageId);
        accepted.push(imageId);
      }
      progress.update((done += group.length));
    },
    signal,
  );
  progress.done(`${accepted.length} of ${images.length} accepted`);
}

/**
 * Until every image's end was told; or what is not told has ended for long, as the target says when it is asked; or nothing has
 * moved for long. Then a moment longer, in which second copies may come.
 */
async function awaitEnds(
  { target, scenario, journal, signal }: Proof,
  accepted: readonly string[],
  told: ReadonlyMap<string, number>,
  all: Promise<void>,
): Promise<void> {
  const { askEveryMs, idsPerCall, giveUpMs, stallMs, settleMs } = scenario.follow;
  /** When the target, asked, first said that an image has ended whose end was not told. */
  const ended = new Map<string, number>();
  const fully = all.then(() => 'told' as const);
  let turn = 0;
  let movedMs = Date.now();
  let seen = 0;
  for (;;) {
    const first = await orStop(signal, Promise.race([fully, sleep(askEveryMs, 'asking' as const)]));
    if (first === 'told') break;
    const open = accepted.filter((id) => !told.has(id));
    const now = Date.now();
    if (told.size + ended.size > seen) movedMs = now;
    seen = told.size + ended.size;
    if (open.every((id) => now - (ended.get(id) ?? now) >= giveUpMs)) break;
    if (now - movedMs >= stallMs) break;
    const ids = suspects(
      open.filter((id) => !ended.has(id)),
      idsPerCall,
      turn++,
    );
    if (ids.length === 0) continue;
    for (const state of await target.results(ids)) {
      if (!isEnd(state.status)) continue;
      const atMs = Date.now();
      ended.set(state.imageId, atMs);
      // Its event may have come while the answer was on its way.
      if (!told.has(state.imageId)) journal.add({ ...state, type: 'ask', atMs, final: false });
    }
  }
  await pause(settleMs, signal);
}

/** Half of them the ones that were submitted first, which others have overtaken; the other half all in turn. */
function suspects(open: readonly string[], most: number, turn: number): string[] {
  if (open.length <= most) return [...open];
  const half = Math.floor(most / 2);
  const rest = open.slice(half);
  const from = (turn * half) % rest.length;
  return [...open.slice(0, half), ...rest.slice(from, from + half)];
}
