import type { BudgetName } from '../contract.ts';
import type { CrashPoint, ExecutionFault } from '../../../service/src/crash-points.ts';
import type { UploadedImage } from '../drivers/upload.ts';
import type { Follower } from './follower.ts';
import { LEASE_MS, type Line, type RoleName, type ServerName, type World } from './world.ts';

/** What a fault has to work with. */
export interface Ground {
  world: World;
  follower: Follower;
  projectId: string;
  /** Images of the batch, and how many have ended when the fault comes. */
  count: number;
  after: number;
  /** In the order of upload; empty before it. */
  uploaded: readonly UploadedImage[];
  awayMs: number;
  pause: (ms: number) => Promise<void>;
  /** Starts the cell's second batch, of its first images. */
  startSecond: () => Promise<void>;
  /** A reader that never reads, until the run ends. */
  openDeaf: () => Promise<void>;
}

/** When it happened, epoch ms. */
export interface Moment {
  atMs: number;
  /** From when a recovery is counted, where that is later. */
  fromMs?: number;
  /** Where the fault knows better than the ends of images. */
  recoveryMs?: number | null;
}

export interface Fault {
  id: string;
  title: string;
  /** What its instant is a share of. */
  phase: 'upload' | 'batch';
  /** Other instants than the scenario's. */
  instants?: readonly number[];
  /** Its recovery is judged by this budget. */
  recovery?: BudgetName;
  /** The same before the upload, for a fault of both phases. */
  armUpload?: (ground: Ground) => Promise<void>;
  /** Armed before the batch begins; whoever comes by meets it. */
  arm?: (ground: Ground) => Promise<void>;
  /** The armed places that tell when it happened, and that it did. */
  barriers?: (ground: Pick<Ground, 'after'>) => readonly (CrashPoint | ExecutionFault)[];
  /** Done at its instant; resolves when everything is mended. */
  act?: (ground: Ground) => Promise<Moment>;
  /** Code with which the image it was aimed at must end. */
  dooms?: string;
}

/** The lease runs out while the worker is stopped. */
const STOPPED_MS = LEASE_MS + 3_000;
const DOWN_MS = 1_500;
const SHORT_MS = 3_000;
const SLOW = { delayMs: 100, bytesPerSecond: 20_000 };
/** An image that kills every process that takes it. */
const ALWAYS = 1_000;

const target = ({ uploaded, after }: Ground): UploadedImage => {
  const image = uploaded[Math.min(after, uploaded.length - 1)];
  if (!image) throw new Error('the fault has no image to aim at');
  return image;
};

/** A role dies at a place of its own code, behind so many that pass it. */
const killedAt = (point: CrashPoint): Pick<Fault, 'phase' | 'arm' | 'barriers'> => ({
  phase: 'batch',
  arm: ({ world, after }) => world.arm(point, after),
  barriers: () => [point],
});
const executed = (fault: ExecutionFault, times: number): Pick<Fault, 'phase' | 'arm' | 'barriers'> => ({
  phase: 'batch',
  arm: (ground) => ground.world.armExecution(fault, { image: target(ground).image.sha256, times }),
  barriers: () => [fault],
});
/** Something is wrong for a while. */
const during = (ms: number, begin: (world: World) => Promise<unknown>, end: (world: World) => Promise<unknown>) =>
  async function act({ world, pause }: Ground): Promise<Moment> {
    const atMs = Date.now();
    try {
      await begin(world);
      await pause(ms);
    } finally {
      await end(world);
    }
    return { atMs };
  };
const serverDown = (server: ServerName, how: 'end' | 'kill') =>
  during(
    DOWN_MS,
    (world) => world.control(server, how),
    (world) => world.control(server, 'start'),
  );
const onLine = (line: Line, ms: number, begin: (proxy: World['proxies'][Line]) => unknown) =>
  during(
    ms,
    async ({ proxies }) => begin(proxies[line]),
    async ({ proxies }) => proxies[line].heal(),
  );
const cut = (line: Line) => onLine(line, 0, (proxy) => proxy.cut());
const killRole =
  (role: RoleName) =>
  async ({ world }: Ground): Promise<Moment> => {
    world.signal(role, 'SIGKILL');
    return { atMs: Date.now() };
  };

/** F1 to F17, in the order of the list that the service is built to survive. */
const LISTED: readonly Fault[] = [
  {
    id: 'F1',
    title: 'worker killed when it had claimed',
    ...killedAt('claimed'),
    recovery: 'recovery_worker_killed_ms',
  },
  {
    id: 'F2',
    title: 'worker killed when it had inferred',
    ...killedAt('inferred'),
    recovery: 'recovery_worker_killed_ms',
  },
  {
    id: 'F3',
    title: 'worker killed when it had committed, before the ack',
    ...killedAt('committed'),
    recovery: 'recovery_worker_killed_ms',
  },
  {
    id: 'F4',
    title: 'worker stopped past its lease (SIGSTOP, SIGCONT)',
    phase: 'batch',
    async act({ world, pause }) {
      const atMs = Date.now();
      world.signal('worker', 'SIGSTOP');
      try {
        await pause(STOPPED_MS);
      } finally {
        world.signal('worker', 'SIGCONT');
      }
      return { atMs, fromMs: Date.now() };
    },
  },
  { id: 'F5', title: 'an execution hangs', ...executed('hang', 1) },
  { id: 'F6', title: 'an image kills every process that decodes it', ...executed('crash', ALWAYS), dooms: 'CRASHED' },
  {
    id: 'F7',
    title: 'queue Redis killed, back after 1.5 s',
    phase: 'batch',
    act: serverDown('queue', 'kill'),
    recovery: 'recovery_queue_wiped_ms',
  },
  {
    id: 'F8',
    title: 'queue Redis wiped (FLUSHALL)',
    phase: 'batch',
    act: during(
      0,
      (world) => world.queueRedis('FLUSHALL'),
      async () => {},
    ),
    recovery: 'recovery_queue_wiped_ms',
  },
  {
    id: 'F9',
    title: 'queue Redis full for 3 s (maxmemory)',
    phase: 'batch',
    act: during(
      SHORT_MS,
      (world) => world.queueRedis('CONFIG', 'SET', 'maxmemory', '1'),
      (world) => world.queueRedis('CONFIG', 'SET', 'maxmemory', '0'),
    ),
  },
  {
    id: 'F10',
    title: 'PostgreSQL restarted, away for 1.5 s',
    phase: 'batch',
    async act(ground) {
      const { atMs } = await serverDown('database', 'end')(ground);
      return { atMs, fromMs: Date.now() };
    },
    recovery: 'recovery_database_restart_ms',
  },
  {
    id: 'F11',
    title: 'API killed between commit and answer, of an upload and of a batch',
    phase: 'batch',
    // the upload's first answer, a file in the middle, or a later answer; then the batch, or a second one beside it
    armUpload: ({ world, after, count }) => world.arm(...uploadKill(after, count)),
    arm: async ({ world, after }) => void (after === 0 && (await world.arm('batch-created', 0))),
    barriers: ({ after }) => (after === 0 ? ['batch-created'] : []),
    async act(ground) {
      const atMs = Date.now();
      if (ground.after === 0) return { atMs };
      await ground.world.arm('batch-created', 0);
      await ground.startSecond();
      const [hit] = await ground.world.hits('batch-created');
      if (!hit) throw new Error('the API answered, and should have died');
      return { atMs: hit.atMs };
    },
  },
  { id: 'F12', title: 'relay killed after it enqueued', ...killedAt('enqueued') },
  {
    id: 'F13',
    title: 'event socket away',
    phase: 'batch',
    async act({ follower, pause, awayMs }) {
      const atMs = Date.now();
      follower.goAway();
      await pause(awayMs);
      const fromMs = Date.now();
      follower.comeBack();
      while (follower.caughtUpMs() === null && Date.now() - fromMs < 20_000) await pause(5);
      return { atMs, fromMs, recoveryMs: follower.caughtUpMs() ?? Date.now() - fromMs };
    },
    recovery: 'recovery_socket_away_ms',
  },
  {
    id: 'F14',
    title: 'readers that never read',
    phase: 'batch',
    async act({ openDeaf }) {
      const atMs = Date.now();
      await Promise.all([openDeaf(), openDeaf(), openDeaf()]);
      return { atMs };
    },
  },
  {
    id: 'F15',
    title: 'disk full for 3 s while images are uploaded (hook in the storage)',
    phase: 'upload',
    act: during(
      SHORT_MS,
      (world) => world.fillDisk(true),
      (world) => world.fillDisk(false),
    ),
  },
  { id: 'F16', title: 'GPU out of memory', ...executed('out-of-memory', 1) },
  { id: 'F17', title: 'cache Redis gone for 1.5 s', phase: 'batch', act: serverDown('cache', 'kill') },
];

/** Beside the list: the network, and places of the relay that the list does not name. At one instant each. */
const MIDDLE = [0.5];
const BESIDE: readonly Fault[] = [
  { id: 'N1', title: 'connections to PostgreSQL cut', phase: 'batch', instants: MIDDLE, act: cut('database') },
  {
    id: 'N2',
    title: 'PostgreSQL answers nothing for 3 s (black hole)',
    phase: 'batch',
    instants: MIDDLE,
    act: onLine('database', SHORT_MS, (proxy) => proxy.blackHole(true)),
  },
  {
    id: 'N3',
    title: 'queue Redis answers nothing for 3 s (black hole)',
    phase: 'batch',
    instants: MIDDLE,
    act: onLine('queue', SHORT_MS, (proxy) => proxy.blackHole(true)),
  },
  {
    id: 'N4',
    title: 'PostgreSQL 100 ms away for 3 s',
    phase: 'batch',
    instants: MIDDLE,
    act: onLine('database', SHORT_MS, (proxy) => proxy.delay(SLOW.delayMs)),
  },
  { id: 'N5', title: 'the client’s connections cut', phase: 'batch', instants: MIDDLE, act: cut('api') },
  {
    id: 'N6',
    title: 'the client’s line at 20 kB/s for 3 s',
    phase: 'upload',
    instants: MIDDLE,
    act: onLine('api', SHORT_MS, (proxy) => proxy.throttle(SLOW.bytesPerSecond)),
  },
  { id: 'N7', title: 'relay killed before it enqueues', instants: MIDDLE, ...killedAt('enqueuing') },
  { id: 'N8', title: 'sequencer killed before its numbers are committed', instants: MIDDLE, ...numbering() },
  { id: 'N9', title: 'API killed while files arrive', phase: 'upload', instants: MIDDLE, act: killRole('api') },
];

export const FAULT_TABLE: readonly Fault[] = [...LISTED, ...BESIDE];
export const FAULT_IDS: readonly string[] = FAULT_TABLE.map(({ id }) => id);

function uploadKill(after: number, count: number): [CrashPoint, number] {
  if (after === 0) return ['uploaded', 0];
  return after < 0.9 * count ? ['uploading', after] : ['uploaded', 1];
}
/** Dies in the next window of events: how many there are in a batch is the machine's. */
function numbering(): Pick<Fault, 'phase' | 'act' | 'barriers'> {
  const act = async ({ world }: Ground): Promise<Moment> => {
    await world.arm('numbered', 0);
    return { atMs: Date.now() };
  };
  return { phase: 'batch', act, barriers: () => ['numbered'] };
}
