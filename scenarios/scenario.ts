import type { BudgetName, BudgetSpec } from '../loadtest/src/contract.ts';
import type { Defaults } from './defaults.ts';

export type BrowseRequest = 'list' | 'image' | 'picture';

/** What every scenario says of itself; `kind` chooses the runner. */
interface ScenarioBase<Kind extends string> extends Defaults<Kind> {
  kind: Kind;
  name: string;
  title: string;
  /** Images of a run, and of one with `--quick`. */
  images: { count: number; quickCount: number };
  budgets: readonly BudgetSpec[];
  /** Budgets that this scenario does not exercise, each with the reason. */
  notApplicable: Partial<Record<BudgetName, string>>;
}

export type BulkPhase = 'upload' | 'batch' | 'burst' | 'browse' | 'downloads' | 'scroll';

/** One bulk run with a page that watches it. */
export interface BulkScenario extends ScenarioBase<'bulk'> {
  /** Sides in pixels. */
  images: {
    count: number;
    quickCount: number;
    minSide: number;
    maxSide: number;
    medianSide: number;
    /** Of images that are not empty (1 in 40 is); default 1. */
    minCells?: number;
    maxCells: number;
  };
  /** Only with `--images DIR`. */
  needsImages?: boolean;
  /** How many times slower than this machine the page's processor is; default 1. */
  slowerPage?: number;
  /** Which of its phases are run; default all. */
  runs?: readonly BulkPhase[];
  phases: {
    upload: { concurrency: number; filesPerRequest: number };
    batch: { threshold: number; timeoutMs: number };
    burst: { windowMs: number; settleTimeoutMs: number; quietMs: number; clickAnswerMs: number };
    browse: {
      concurrency: number;
      requests: number;
      mix: readonly BrowseRequest[];
      pageSize: number;
      pages: number;
      distinctImages: number;
      pictureWidth: number;
    };
    /** Every byte is read once, in ranges of 1 MiB to `maxRangeBytes`. */
    downloads: { clients: number; fileBytes: number; maxRangeBytes: number };
    scroll: { sweeps: number; sweepMs: number };
  };
}

/** Batches, each with a fault. */
export interface FaultsScenario extends ScenarioBase<'faults'> {
  /** Square images, sides in pixels. */
  images: { count: number; quickCount: number; side: number; maxCells: number };
  upload: { filesPerRequest: number; concurrency: number };
  instants: readonly number[];
  quick: { durationSeconds: number; socketAwayMs: number };
  socketAwayMs: number;
  endsWithinMs: number;
}

/** More requests than the service bears. Durations in ms; `quickMs` with `--quick`. */
export interface OverloadScenario extends ScenarioBase<'overload'> {
  phases: {
    warmMs: number;
    capacity: { concurrency: readonly number[]; durationMs: number; quickMs: number };
    light: { share: number; durationMs: number; quickMs: number };
    /** `settleMs`: the first moments, in which the service finds its bound; no part of the judged latency. */
    overload: { times: number; durationMs: number; quickMs: number; settleMs: number };
    recovery: { durationMs: number; windowMs: number; times: number };
    sockets: { idle: number; rounds: number; durationMs: number; quickMs: number };
    mix: readonly ('results' | 'list' | 'image')[];
    resultsPerRequest: number;
    pageSize: number;
  };
}

/** A small batch behind a huge one of `images.count`; `imageMs` is what the timer takes for an image. */
export interface FairnessScenario extends ScenarioBase<'fairness'> {
  phases: { small: number; imageMs: number; urgent: number };
}

/** A rolling restart: `checkMs` between two looks of the balancer, `restMs` between two processes. */
export interface DrainScenario extends ScenarioBase<'drain'> {
  phases: { imageMs: number; requestsPerSecond: number; checkMs: number; drainMs: number; restMs: number };
}

/** Steady batches for long. */
export interface SoakScenario extends ScenarioBase<'soak'> {
  phases: {
    durationMs: number;
    quickMs: number;
    warmShare: number;
    sampleMs: number;
    settledMs: number;
    pauseMs: number;
    side: number;
  };
}

/** The delivery proof of a service, ours or another: images in, a fault on the way of the events, the ledger. */
export interface ProveScenario extends ScenarioBase<'prove'> {
  /** Sides in pixels. */
  images: BulkScenario['images'];
  upload: { filesPerCall: number; concurrency: number };
  batch: { threshold: number };
  follow: {
    /** Share of the images whose end has been told when the fault comes. */
    faultAtShare: number;
    /** Between two questions about images whose end was not told. */
    askEveryMs: number;
    idsPerCall: number;
    /** An event is late that comes so long after the target, asked, had said that the image ended. */
    lateMs: number;
    /** No event is waited for that much longer than the target says that its image has ended. */
    giveUpMs: number;
    /** Nothing has moved for so long: the batch is over. */
    stallMs: number;
    /** After the last event, for second copies. */
    settleMs: number;
  };
}

/** As many ends of images as the queue lets through, to many readers; half of them are cut off at half of it and come back. */
export interface StormScenario extends ScenarioBase<'storm'> {
  phases: { imageMs: number; readers: number };
}

/** A small batch of one tenant beside `projects` projects of another, which share `images.count`. */
export interface TenantsScenario extends ScenarioBase<'tenants'> {
  phases: { imageMs: number; projects: number; small: number; askEveryMs: number };
}

export type BrowseKind = 'list' | 'detail' | 'result' | 'results' | 'graphql' | 'range' | 'submit';

/** Many users at once, at a constant rate that does not wait for answers. Durations in ms; `quickMs` with `--quick`. */
export interface BrowseScenario extends ScenarioBase<'browse'> {
  phases: {
    imageMs: number;
    requestsPerSecond: number;
    warmMs: number;
    durationMs: number;
    quickMs: number;
    /** One turn of the mix; it repeats. */
    mix: readonly BrowseKind[];
    pageSize: number;
    resultsPerRequest: number;
    /** Each with a project of its own, to submit whole, and a socket on it. */
    users: number;
    imagesPerUser: number;
    rangeBytes: number;
    fileMebibytes: number;
  };
}

/** One endpoint at a time, as fast as it answers. Durations in ms. */
export interface EndpointsScenario extends ScenarioBase<'endpoints'> {
  phases: {
    imageMs: number;
    connections: number;
    warmMs: number;
    durationMs: number;
    quickMs: number;
    pageSize: number;
    resultsPerRequest: number;
  };
}

/** A finished project of `images.count` images, opened and scrolled in a browser. Durations in ms. */
export interface GalleryScenario extends ScenarioBase<'gallery'> {
  phases: {
    /** Pictures with results that the images share, sides in pixels. */
    pictures: number;
    side: number;
    /** Ends of the list that are scrolled to: even, so that the last one is the first. */
    sweeps: number;
    sweepMs: number;
    /** Places along the list at which it rests until all in view is drawn. */
    visits: number;
    quietMs: number;
    timeoutMs: number;
  };
}

/** One image with `images.count` outlines, moved and zoomed in the viewer. Durations in ms. */
export interface ViewerScenario extends ScenarioBase<'viewer'> {
  /** Outlines of the image. */
  images: { count: number; quickCount: number };
  phases: {
    /** Of the image, pixels: larger than what the viewer shows whole. */
    side: number;
    quickSide: number;
    /** How often it is panned and zoomed, and how long each time. */
    moves: number;
    moveMs: number;
    /** Zooms at which what is drawn is compared with the service's answer, and outlines pointed at in each. */
    looks: number;
    picks: number;
    quietMs: number;
    timeoutMs: number;
  };
}

/** Pages that stay open on a busy day, told by a stand-in for the service; `images.count` of the gallery's project. */
export interface PageHourScenario extends ScenarioBase<'page-hour'> {
  phases: {
    /** Of the pages' own clocks, which go `speed` times as fast as ours. */
    seconds: number;
    quickSeconds: number;
    speed: number;
    imagesPerSecond: number;
    /** Times at which memory is measured, evenly over all of it, and the share of it that is left out at the beginning. */
    looks: number;
    quickLooks: number;
    warmShare: number;
    /** In the middle, of the pages' clocks: nothing is told. */
    silenceSeconds: number;
    /** Of the pages' clocks, after an image's end: a gallery asks for results less and less often while a batch runs. */
    resultsWithinSeconds: number;
    /** By our clock: until a page shows what it was told. */
    timeoutMs: number;
  };
}

/** A gallery that is told by a stand-in for the service how its images end, all of them once. */
export interface PageStormScenario extends ScenarioBase<'page-storm'> {
  phases: {
    eventsPerSecond: number;
    /** Of the time that it takes, at its beginning and end: no frame counts there. */
    edgeShare: number;
    timeoutMs: number;
  };
}

/** A sweep over numbers of workers. */
export interface CapacityScenario extends ScenarioBase<'capacity'> {
  phases: {
    real: readonly number[];
    simulated: readonly number[];
    mostTimes: number;
    warm: number;
    shapes: readonly { side: number; cells: number }[];
  };
}

/** A timer for every inference, and more and more workers. Images of each worker; durations in ms. */
export interface ScaleScenario extends ScenarioBase<'scale'> {
  phases: {
    workers: readonly number[];
    quickWorkers: readonly number[];
    imageMs: number;
    leaseMs: number;
    killAfter: number;
  };
}

/** The gate against itself: one program with itself, and with each planted growth. Images of a block; durations in minutes. */
export interface GateProofScenario extends ScenarioBase<'gate-proof'> {
  phases: {
    /** Pairs of a comparison at most. */
    pairs: number;
    quickPairs: number;
    minutes: number;
    /** Comparisons of one program with itself. */
    same: number;
    quickSame: number;
  };
}

export type Scenario =
  | BulkScenario
  | FaultsScenario
  | OverloadScenario
  | FairnessScenario
  | DrainScenario
  | SoakScenario
  | StormScenario
  | TenantsScenario
  | BrowseScenario
  | EndpointsScenario
  | GalleryScenario
  | ViewerScenario
  | PageHourScenario
  | PageStormScenario
  | CapacityScenario
  | ProveScenario
  | GateProofScenario
  | ScaleScenario;
export type ScenarioKind = Scenario['kind'];
