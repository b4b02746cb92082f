import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { addressOf } from '#contract/client.ts';
import type { RoleProcess } from '../../../service/src/role-process.ts';
import type { OverloadScenario } from '../../../scenarios/scenario.ts';
import { openLedgerSocket } from '../drivers/ledger-socket.ts';
import { parallel } from '../drivers/parallel.ts';
import { median } from '../measure/statistics.ts';
import { pause } from '../run/stop.ts';
import type { GeneratorReport } from './generator-protocol.ts';
import type { Load } from './load-run.ts';
import { timed, whyShort } from './pacing.ts';
import { seedProject } from './simulated.ts';
import { startBatch, type createTraffic } from './traffic.ts';

const SETTLE_MS = 2000;

interface Given {
  target: { url: string; key: string };
  project: { projectId: string };
  send: ReturnType<typeof createTraffic>;
  perSecond: number;
  api: RoleProcess;
}

const eventsUrl = (target: Given['target'], projectId: string): URL =>
  new URL(addressOf('GET /api/events', { query: { projectId } }), target.url.replace(/^http/, 'ws'));

/** An upgrade by hand, and not one byte read after it. */
function openDeafSocket(target: Given['target'], projectId: string): Promise<Socket> {
  const { hostname, port, pathname, search } = eventsUrl(target, projectId);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `GET ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${target.key}\r\n` +
          `connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      );
      socket.once('data', () => {
        socket.pause();
        resolve(socket);
      });
    });
    socket.on('error', reject);
  });
}

async function openIdle(target: Given['target'], projectId: string, count: number, signal: AbortSignal) {
  const sockets: WebSocket[] = [];
  await parallel(
    Array.from({ length: count }),
    32,
    async () => {
      const socket = new WebSocket(eventsUrl(target, projectId), {
        headers: { authorization: `Bearer ${target.key}` },
        perMessageDeflate: false,
      });
      sockets.push(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once('open', () => resolve());
        socket.once('error', reject);
      });
    },
    signal,
  );
  return sockets;
}

/** Light load with and without the sockets, in turn (A B B A …), while a batch makes events; one reader beside them counts. */
export async function measureSockets(
  load: Load,
  plan: OverloadScenario['phases']['sockets'],
  given: Given,
): Promise<void> {
  const { target, project, send, perSecond } = given;
  const { fleet, signal } = load;
  const { quick, seed } = load.input.options;
  const durationMs = quick ? plan.quickMs : plan.durationMs;
  const quiet = await seedProject(fleet.sql, { name: 'idle', images: 1, side: 64, seed });
  const reader = await openLedgerSocket({ baseUrl: target.url, key: target.key, projectId: project.projectId });
  const runs: Record<'with' | 'without', GeneratorReport[]> = { with: [], without: [] };
  let open = 0;
  const round = async (sockets: boolean) => {
    const idle = sockets ? await openIdle(target, quiet.projectId, plan.idle, signal) : [];
    const deaf = sockets ? await openDeafSocket(target, project.projectId) : undefined;
    open = Math.max(open, idle.length);
    // Opening a thousand sockets is a load of its own, and not the one that is looked at.
    await pause(SETTLE_MS, signal);
    await startBatch(target, project.projectId, { all: true, force: true });
    runs[sockets ? 'with' : 'without'].push(await send({ load: { kind: 'open', perSecond }, durationMs }));
    deaf?.destroy();
    for (const socket of idle) socket.terminate();
    await pause(300, signal);
  };
  await load.phase('idle sockets', async () => {
    for (let turn = 0; turn < plan.rounds; turn++)
      for (const sockets of turn % 2 === 0 ? [false, true] : [true, false]) await round(sockets);
  });
  await pause(1000, signal);
  const p95 = (reports: GeneratorReport[]) => median(reports.map((one) => one.p95Ms ?? NaN));
  const all = [...runs.with, ...runs.without];
  const short = all.map((one) => whyShort(one.sent, one.intended, one.lagP99Ms)).find((why) => why !== undefined);
  const frames = reader.log.frames().filter(({ frame }) => frame.type === 'events').length;
  load.measurements.idle_sockets_p95_ratio = timed(
    p95(runs.with) / p95(runs.without),
    `${p95(runs.with).toFixed(1)} ms with ${open} sockets, ${p95(runs.without).toFixed(1)} ms without; medians of ${plan.rounds}`,
    short,
  );
  load.measurements.idle_sockets_gaps = {
    actual: reader.log.sequenceGaps(),
    note: `${frames} frames with events came`,
    ...(frames > 0 ? {} : { weakened: 'no event came' }),
  };
  const row = (name: string) => (one: GeneratorReport, turn: number) =>
    [name, turn + 1, one.ok, one.p50Ms, one.p95Ms, one.p99Ms] as (string | number | null)[];
  load.tables.push({
    title: 'Beside idle sockets and a reader that never reads',
    columns: [
      { name: 'sockets' },
      { name: 'round', unit: 'count' },
      { name: 'answered', unit: 'count' },
      { name: 'p50', unit: 'ms' },
      { name: 'p95', unit: 'ms' },
      { name: 'p99', unit: 'ms' },
    ],
    rows: [...runs.without.map(row('none')), ...runs.with.map(row(`${plan.idle} idle, 1 deaf`))],
  });
  reader.close();
}
