import { setImmediate as immediate } from 'node:timers/promises';
import { CLOSE_GOING_AWAY, CLOSE_NOT_FOUND, CLOSE_TRY_AGAIN_LATER, HEARTBEAT_MS } from '../contract/events.ts';
import type { Sql } from '../database/client.ts';
import { createClient, type HubClient, type HubSocket } from './client.ts';
import { listenTo } from './listener.ts';
import type { Shown } from './shown.ts';
import { openStream, readFrames, readSnapshot, replayStart, type LoggedFrame, type StreamHead } from './log.ts';

/** Above this a reader leaves the live feed and goes on from the log, at its own pace. */
const HIGH_WATER_BYTES = 1024 * 1024;
const LOW_WATER_BYTES = 128 * 1024;
const DRAIN_POLL_MS = 20;
const PAGE = 50;
/** A reader that catches up takes few frames at a time: at most 500 events each. */
const CATCH_UP_PAGE = 8;
const SAFETY_POLL_MS = 2_000;
const GOING_AWAY = 'the server is going away';

/** Heartbeats in one turn of the event loop. */
const BEATS = 25;

export interface HubOptions {
  databaseUrl: string;
  log(message: string): void;
  heartbeatMs?: number;
  /** How long a full socket may take nothing before it is closed with 1013. */
  stallMs?: number;
  highWaterBytes?: number;
}
export interface AttachOptions {
  projectId: string;
  /** Of the tenant whose project it is. */
  sql: Sql;
  /** What the reader has already; null for a new one. */
  resume: { epoch: string; since: number } | null;
  unbatched: boolean;
  /** Hears what is sent to this reader, where images are traced. */
  shown?: Pick<Shown, 'sent'> | null;
}

interface Channel {
  projectId: string;
  sql: Sql;
  head: StreamHead;
  live: Set<HubClient>;
  /** All readers, those that catch up included. */
  clients: Set<HubClient>;
  /** Work on a channel runs one after the other: a reader joins between two frames, never inside one. */
  tail: Promise<void>;
  pumpQueued: boolean;
}
/** A channel goes with the last socket that asked for it, which may be before it is open. */
interface Entry {
  opening: Promise<Channel>;
  sockets: Set<HubSocket>;
}

/** Fans the event log out to sockets: one read of the log for all readers of a project. */
export function createHub(options: HubOptions) {
  const { heartbeatMs = HEARTBEAT_MS, stallMs = 5_000, highWaterBytes = HIGH_WATER_BYTES } = options;
  const channels = new Map<string, Entry>();
  const counts = { clients: 0, behind: 0, ended: 0 };
  let closed = false;

  function exclusive<T>(channel: Channel, work: () => Promise<T>): Promise<T> {
    const result = channel.tail.then(work);
    channel.tail = result.then(
      () => {},
      () => {},
    );
    return result;
  }
  async function openChannel(projectId: string, sql: Sql): Promise<Channel> {
    const head = await openStream(sql, projectId);
    const sets = { live: new Set<HubClient>(), clients: new Set<HubClient>() };
    return { projectId, sql, head, ...sets, tail: Promise.resolve(), pumpQueued: false };
  }
  /** The channel of a project, held open until `socket` closes. */
  function enter({ projectId, sql }: AttachOptions, socket: HubSocket): Promise<Channel> {
    let entry = channels.get(projectId);
    if (!entry) channels.set(projectId, (entry = { opening: openChannel(projectId, sql), sockets: new Set() }));
    const { opening, sockets } = entry;
    const leave = () => {
      sockets.delete(socket);
      if (sockets.size === 0 && channels.get(projectId)?.sockets === sockets) channels.delete(projectId);
    };
    sockets.add(socket);
    socket.on('close', leave);
    opening.catch(leave);
    return opening;
  }

  /** Brings a channel to the head of its stream, and its live readers with it. Runs inside `exclusive`. */
  async function pump(channel: Channel): Promise<void> {
    for (;;) {
      const { head, frames } = await readFrames(channel.sql, channel.projectId, channel.head.frameNo, PAGE);
      if (head === null) return endAll(channel);
      if (head.epoch !== channel.head.epoch) {
        channel.head = head;
        for (const client of channel.live) await snapshot(channel, client);
        return;
      }
      for (const frame of frames) fanOut(channel, frame);
      if (frames.length < PAGE) return;
    }
  }
  /** The project is gone: nothing more can come. */
  function endAll(channel: Channel): void {
    for (const client of channel.clients) client.close(CLOSE_NOT_FOUND, 'the project was deleted');
  }
  function fanOut(channel: Channel, frame: LoggedFrame): void {
    channel.head = { ...channel.head, seq: frame.to, frameNo: frame.frameNo };
    for (const client of channel.live) {
      client.deliver(frame);
      if (client.bufferedBytes() <= highWaterBytes) continue;
      channel.live.delete(client);
      void catchUp(channel, client);
    }
  }
  async function snapshot(channel: Channel, client: HubClient): Promise<void> {
    const { head } = channel;
    client.restart(await readSnapshot(channel.sql, channel.projectId, head), head.frameNo);
  }

  /** Ends a reader that does not read. */
  function evict(client: HubClient, why: string): void {
    if (client.open()) counts.ended++;
    client.close(CLOSE_TRY_AGAIN_LATER, why);
  }
  /** Waits until a socket has taken most of what it holds; false when it takes nothing for `stallMs`. */
  async function drained(client: HubClient): Promise<boolean> {
    let held = client.bufferedBytes();
    let movedAt = performance.now();
    while (client.open() && held > LOW_WATER_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
      const now = client.bufferedBytes();
      if (now < held) movedAt = performance.now();
      else if (performance.now() - movedAt > stallMs) return false;
      held = now;
    }
    return true;
  }
  /** Feeds one reader from the log until it has everything, then lets it join the live feed. */
  async function catchUp(channel: Channel, client: HubClient): Promise<void> {
    counts.behind++;
    try {
      while (client.open() && !closed) {
        if (!(await drained(client))) return evict(client, 'the reader stopped reading');
        const { frames } = await readFrames(channel.sql, channel.projectId, client.frameNo, CATCH_UP_PAGE);
        if (deliverAll(client, frames) === 'pruned')
          return await exclusive(channel, async () => {
            await pump(channel);
            await snapshot(channel, client);
            channel.live.add(client);
          });
        if (frames.length < CATCH_UP_PAGE && (await exclusive(channel, () => join(channel, client)))) return;
      }
    } catch (error) {
      options.log(`events of project ${channel.projectId}: replay failed: ${String(error)}`);
      client.close(CLOSE_TRY_AGAIN_LATER, 'the replay failed');
    } finally {
      counts.behind--;
    }
  }
  function deliverAll(client: HubClient, frames: readonly LoggedFrame[]): 'delivered' | 'pruned' {
    for (const frame of frames) {
      if (frame.frameNo !== client.frameNo + 1) return 'pruned';
      client.deliver(frame);
    }
    return 'delivered';
  }
  async function join(channel: Channel, client: HubClient): Promise<boolean> {
    await pump(channel);
    const { frames } = await readFrames(channel.sql, channel.projectId, client.frameNo, CATCH_UP_PAGE);
    const upTo = frames.filter((frame) => frame.frameNo <= channel.head.frameNo);
    if (deliverAll(client, upTo) === 'pruned' || client.frameNo !== channel.head.frameNo) return false;
    channel.live.add(client);
    return true;
  }

  function queuePump(channel: Channel): void {
    if (channel.pumpQueued || closed) return;
    channel.pumpQueued = true;
    exclusive(channel, () => {
      channel.pumpQueued = false;
      return pump(channel);
    }).catch((error: unknown) => options.log(`events of project ${channel.projectId}: ${String(error)}`));
  }
  async function pumpAll(): Promise<void> {
    for (const { opening } of channels.values()) {
      const channel = await opening.catch(() => null);
      if (channel) queuePump(channel);
    }
  }
  async function eachClient(visit: (client: HubClient) => void): Promise<void> {
    for (const { opening } of channels.values()) {
      const channel = await opening.catch(() => null);
      for (const client of channel?.clients ?? []) visit(client);
    }
  }
  function beat(client: HubClient): void {
    if (!client.probe()) evict(client, 'no answer to the last heartbeat');
    else if (client.bufferedBytes() <= highWaterBytes) client.send({ type: 'heartbeat' });
  }

  const listener = listenTo({
    databaseUrl: options.databaseUrl,
    channels: ['segbench_frames'],
    onNotify(_, projectId) {
      channels.get(projectId)?.opening.then(queuePump, () => {});
    },
    onConnected: () => void pumpAll(),
  });
  /** A thousand heartbeats at once would hold everybody else up for as long as they take: a few, and then whoever waits. */
  async function beatAll(): Promise<void> {
    let beaten = 0;
    for (const { opening } of channels.values()) {
      const channel = await opening.catch(() => null);
      for (const client of channel?.clients ?? []) {
        if (closed) return;
        beat(client);
        if (++beaten % BEATS === 0) await immediate();
      }
    }
  }

  const heartbeat = setInterval(() => void beatAll(), heartbeatMs);
  const safety = setInterval(() => void pumpAll(), SAFETY_POLL_MS);

  return {
    /** Readers now, those of them that are fed from the log, and those that were ended because they did not read. */
    counts: counts as Readonly<typeof counts>,
    /** Takes a socket over: hello first, then what it missed or a snapshot, then everything new. */
    async attach(socket: HubSocket, options: AttachOptions): Promise<void> {
      const { projectId, sql, resume, unbatched, shown = null } = options;
      const client = createClient(socket, { unbatched, since: resume?.since ?? null, shown });
      const channel = await enter(options, socket);
      // Who left in the meantime would stay here for ever: its socket closes only once.
      if (!client.open()) return;
      if (closed) return client.close(CLOSE_GOING_AWAY, GOING_AWAY);
      channel.clients.add(client);
      counts.clients++;
      socket.on('close', () => {
        counts.clients--;
        channel.live.delete(client);
        channel.clients.delete(client);
      });
      await exclusive(channel, async () => {
        await pump(channel);
        client.send({ type: 'hello', projectId, epoch: channel.head.epoch, seq: channel.head.seq });
        client.frameNo = channel.head.frameNo;
        if (resume === null) return void channel.live.add(client);
        const same = resume.epoch === channel.head.epoch;
        const start = same ? await replayStart(sql, projectId, channel.head, resume.since) : null;
        if (start === null) {
          await snapshot(channel, client);
          return void channel.live.add(client);
        }
        client.frameNo = start;
        void catchUp(channel, client);
      });
    },
    async clients(): Promise<number> {
      let count = 0;
      await eachClient(() => count++);
      return count;
    },
    async close(): Promise<void> {
      closed = true;
      clearInterval(heartbeat);
      clearInterval(safety);
      await eachClient((client) => client.close(CLOSE_GOING_AWAY, GOING_AWAY));
      await listener.close();
    },
  };
}
export type Hub = ReturnType<typeof createHub>;
