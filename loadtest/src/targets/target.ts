/**
 * What an adapter implements so that the harness can measure a service that is not its own. An adapter is a module whose default
 * export is a function without arguments that gives a `Target`; see docs/targets.md and examples/adapters. It reads its own
 * settings (addresses, keys) from environment variables.
 */

/** How an image is doing. `uploaded`: nobody asked for its segmentation yet; `failed`: it ended, without a result; `unknown`: the service does not know it. */
export type TargetStatus = 'uploaded' | 'queued' | 'processing' | 'completed' | 'failed' | 'unknown';

export interface TargetConfig {
  /** How many images will come. */
  images: number;
  /** Aborted when the run ends early. */
  signal: AbortSignal;
  /** One line for people, on stderr. */
  log(line: string): void;
  /**
   * The same http:// or ws:// address by way of the harness's own TCP proxy, where the fault of a run happens. Whatever brings
   * events must go through it. What is asked and uploaded need not.
   * @throws Error for https:// and wss://, whose certificates are those of their own name: see `cut`.
   */
  through(url: string): Promise<string>;
}

export interface TargetAbout {
  /** Names the service in reports, such as `cell-segmentation-hub`. */
  name: string;
  /** Where it is, without credentials. */
  address: string;
  version?: string;
  /** Inference workers, where the adapter knows. */
  workers?: number;
}

export interface TargetFile {
  /** Unique in a run. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Where it lies on this machine. */
  path: string;
  mimeType: string;
  /** Hex. */
  sha256: string;
}

/** The service's answer for one file: the id under which it took it, or why it did not. */
export type TargetUpload = { name: string; imageId: string } | { name: string; rejected: string };

export interface TargetStart {
  /** What a pixel must at least have to count as part of an object, 0-1. Services without such a thing ignore it. */
  threshold: number;
}

export interface TargetEvent {
  imageId: string;
  status: Exclude<TargetStatus, 'unknown'>;
  /** Epoch ms at which it happened, by the service's clock, where it says so. */
  at?: number;
  /** The service's own number of this event, where it numbers them: by one more with each event of a stream. */
  sequence?: number;
  /** Names the numbering that `sequence` belongs to, where there can be several. */
  stream?: string;
  /** Which connection brought it: 1, 2, … */
  connection?: number;
  /** Why it failed. */
  code?: string;
}

export interface TargetResult {
  imageId: string;
  status: TargetStatus;
  /** Whether a result can be had now: polygons, a mask, a tensor, and be it one without any object. */
  result: boolean;
  /** Epoch ms at which it ended, by the service's clock, where it says so. */
  endedAt?: number;
  /** Milliseconds by stage of its own work, where it says so. */
  stages?: Record<string, number>;
}

export interface Target {
  /** Called first: signs in, makes what is needed, says what is there. */
  open(config: TargetConfig): Promise<TargetAbout>;
  /** Takes a few files, and gives one answer for each. Called several times at once. */
  upload(files: readonly TargetFile[]): Promise<TargetUpload[]>;
  /** Asks for the segmentation of all these. Resolves when the service has accepted that, not when it is done. */
  start(imageIds: readonly string[], options: TargetStart): Promise<void>;
  /** Asks the service for the state of these; each id once, in any order. Also called while images are being worked on. */
  results(imageIds: readonly string[]): Promise<TargetResult[]>;
  /**
   * Begins to hand over what the service says of images, each event as soon and as often as it comes, and once more after a broken
   * connection. Called once, after `open`; resolves when the first connection stands.
   */
  events(handler: (event: TargetEvent) => void): Promise<void>;
  /** Ends connections, also after an error. */
  close(): Promise<void>;
  /** Only where `through` cannot be used: breaks the connection that brings events, without a word. */
  cut?(): void;
  /** Ids of the service's processes on this machine, for comparisons: their CPU time and that of all below them is the service's. */
  processes?(): Promise<number[]>;
}

export type TargetFactory = () => Target;

/** Every function that an adapter must have, and those that it may. */
export const TARGET_FUNCTIONS = [
  'open',
  'upload',
  'start',
  'results',
  'events',
  'close',
] as const satisfies (keyof Target)[];
export const OPTIONAL_FUNCTIONS = ['cut', 'processes'] as const satisfies (keyof Target)[];
export type TargetCall = (typeof TARGET_FUNCTIONS)[number] | 'processes';

export const isEnd = (status: string): status is 'completed' | 'failed' =>
  status === 'completed' || status === 'failed';
