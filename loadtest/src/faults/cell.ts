import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { addressOf } from '#contract/client.ts';
import type { FaultsScenario } from '../../../scenarios/scenario.ts';
import { openObservedPage, type ObservedPage } from '../drivers/browser/page.ts';
import type { Identity } from '../measure/identities.ts';
import type { UploadedImage, UploadFile } from '../drivers/upload.ts';
import { createBatchClient, type BatchClient } from './batch-client.ts';
import { createBatchWatch } from './batch-watch.ts';
import type { Follower } from './follower.ts';
import { violationsOf, type Violation } from './invariants.ts';
import { observe, openItems, streamHead, type ItemRow } from './observe.ts';
import { longestStallMs } from './recovery.ts';
import type { Retry } from './retrying.ts';
import type { Cell } from './schedule.ts';
import type { Ground, Moment } from './table.ts';
import type { World } from './world.ts';

export interface CellResult {
  cell: Cell;
  /** Null: the fault did not come to pass, and the cell proves nothing about it. */
  moment: Moment | null;
  recoveryMs: number | null;
  violations: Violation[];
  retries: readonly Retry[];
  reconnects: number;
  items: readonly ItemRow[];
  /** Terminal events at the client. */
  told: number;
  /** What of the cell's own counts must agree. */
  checks: Identity[];
  toasts: number | null;
  startedAtMs: number;
  durationMs: number;
}
export interface Deaf {
  socket: WebSocket;
  openedAtMs: number;
}
export interface CellOptions {
  world: World;
  scenario: Pick<FaultsScenario, 'upload' | 'endsWithinMs'>;
  files: readonly UploadFile[];
  awayMs: number;
  signal: AbortSignal;
  deaf: Deaf[];
}

const POLL_MS = 50;
/** Events and pages come after what they tell of. */
const TOLD_WITHIN_MS = 20_000;
/** Of the second batch that some faults start. */
const SECOND = 20;

/** One batch from upload to end, with one fault in it, and what of the invariants does not hold afterwards. */
export async function runCell(cell: Cell, options: CellOptions): Promise<CellResult> {
  const { world, files, signal, awayMs } = options;
  const startedAtMs = Date.now();
  await world.heal();
  const client = createBatchClient({ baseUrl: world.url, key: world.services.key, signal });
  const orphanedBefore = world.orphaned();
  const watch = createBatchWatch(world.services.sql, signal);
  let page: ObservedPage | undefined;
  try {
    const projectId = await client.createProject(`${cell.fault.id} at ${Math.round(cell.instant * 100)} %`);
    const follower = client.follow(projectId);
    const ground: Ground = {
      world,
      follower,
      projectId,
      count: files.length,
      after: Math.min(files.length - 1, Math.round(cell.instant * files.length)),
      uploaded: [],
      awayMs,
      pause: (ms) => sleep(ms, undefined, { signal }),
      startSecond: async () => begun(await second()),
      openDeaf: async () => void options.deaf.push(await openDeaf(world, projectId)),
    };
    const batchIds: string[] = [];
    const begun = (id: string): void => {
      batchIds.push(id);
      watch.add(id);
    };
    const second = async () => {
      const imageIds = uploaded.slice(0, SECOND).map(({ image }) => image.id);
      return (await client.startBatch(projectId, { threshold: cell.thresholds[1], imageIds })).id;
    };
    let moment = await uploadWithFault(cell, options, client, ground);
    const { uploaded } = moment;
    ground.uploaded = uploaded;
    if (cell.page) page = await openPage(world, projectId);

    await cell.fault.arm?.(ground);
    const acting = cell.fault.phase === 'batch' && cell.fault.act !== undefined;
    const held = acting && ground.after > 0 ? world.hold(ground.after) : undefined;
    held?.catch(() => {});
    begun((await client.startBatch(projectId, { threshold: cell.thresholds[0] })).id);
    if (acting) {
      await (
        await held
      )?.();
      moment = { uploaded, moment: (await cell.fault.act?.(ground)) ?? null };
    }
    await ended({ world, projectId, withinMs: options.scenario.endsWithinMs, signal });
    await caughtUp({ world, projectId, follower, page, batchIds, signal });

    const { fault } = cell;
    const [barrier] = fault.barriers?.(ground) ?? [];
    const hit = barrier ? (await world.hits(barrier))[0] : undefined;
    const happened: Moment | null = barrier ? (hit ? { atMs: hit.atMs } : null) : moment.moment;
    const doomed = fault.dooms && happened ? [{ imageId: doomedId(uploaded, ground.after), code: fault.dooms }] : [];
    const seen = await observe({ world, client, projectId, uploaded, follower, page, doomed, orphanedBefore });
    const stall = happened ? longestStallMs(seen.endedMs, happened.fromMs ?? happened.atMs) : null;
    return {
      cell,
      moment: happened,
      recoveryMs: happened?.recoveryMs === undefined ? stall : happened.recoveryMs,
      violations: violationsOf(seen.observed),
      retries: client.retries,
      reconnects: Math.max(0, follower.connections() - 1),
      items: seen.items,
      told: [...follower.ledger.view.terminal.values()].reduce((sum, count) => sum + count, 0),
      checks: await watch.identities(),
      toasts: seen.observed.page ? Math.max(0, ...Object.values(seen.observed.page.toasts)) : null,
      startedAtMs,
      durationMs: Date.now() - startedAtMs,
    };
  } finally {
    watch.end();
    client.close();
    await page?.close().catch(() => {});
    await world.heal();
  }
}

const doomedId = (uploaded: readonly UploadedImage[], after: number): string =>
  uploaded[Math.min(after, uploaded.length - 1)]?.image.id ?? '';

const openPage = ({ services, url }: World, projectId: string): Promise<ObservedPage> =>
  openObservedPage({
    browser: services.browser,
    baseUrl: url,
    path: `/projects/${projectId}`,
    key: services.key,
  });

/** All files, and the fault beside them where its instant is a share of the upload. */
async function uploadWithFault(
  { fault }: Cell,
  { files, scenario }: CellOptions,
  client: BatchClient,
  ground: Ground,
): Promise<{ uploaded: UploadedImage[]; moment: Moment | null }> {
  await fault.armUpload?.(ground);
  const act = fault.phase === 'upload' ? fault.act : undefined;
  // while the last requests are on their way there is nothing left to meet the fault
  const { filesPerRequest, concurrency } = scenario.upload;
  const after = Math.min(ground.after, Math.max(0, files.length - filesPerRequest * (concurrency + 1)));
  let acting: Promise<Moment> | undefined;
  const onProgress = (done: number) => void (done >= after && (acting ??= act?.(ground)));
  if (after === 0) onProgress(0);
  acting?.catch(() => {});
  const uploaded = await client.upload(ground.projectId, files, { ...scenario.upload, onProgress });
  const moment = (await acting) ?? null;
  if (moment === null) return { uploaded, moment };
  // what stalls is the upload, and not the batch that begins after it
  const recoveryMs = longestStallMs(
    uploaded.map(({ uploadedAtMs }) => uploadedAtMs),
    moment.fromMs ?? moment.atMs,
  );
  return { uploaded, moment: { ...moment, recoveryMs } };
}

/** A reader whose socket takes nothing from now on. */
async function openDeaf({ services }: World, projectId: string): Promise<Deaf> {
  const url = new URL(addressOf('GET /api/events', { query: { projectId } }), services.url.replace(/^http/, 'ws'));
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${services.key}` } });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.pause();
  return { socket, openedAtMs: Date.now() };
}

interface Waiting {
  world: World;
  projectId: string;
  signal: AbortSignal;
}

/** Until nothing of the project is left to do, or its time is over: what is open then is lost. */
async function ended({ world, projectId, withinMs, signal }: Waiting & { withinMs: number }): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until;) {
    if ((await openItems(world.services.sql, projectId).catch(() => 1)) === 0) return;
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Until client and page have been sent all that the stream has. */
async function caughtUp(
  waiting: Waiting & { follower: Follower; page: ObservedPage | undefined; batchIds: readonly string[] },
): Promise<void> {
  const { world, projectId, follower, page, batchIds, signal } = waiting;
  const pageHas = (key: string): boolean => {
    const terminal = page?.frames.terminalOf(key).size ?? 0;
    const wanted = [...follower.ledger.view.terminal.keys()].filter((one) => one.startsWith(`${key}/`)).length;
    return page === undefined || terminal >= wanted;
  };
  for (const until = Date.now() + TOLD_WITHIN_MS; Date.now() < until;) {
    const head = await streamHead(world.services.sql, projectId).catch(() => Infinity);
    if (follower.ledger.seq() >= head && batchIds.every(pageHas)) break;
    await sleep(POLL_MS, undefined, { signal });
  }
  // a second toast would come with the last frames: the page has a moment to make it
  if (page) await sleep(300, undefined, { signal });
}
