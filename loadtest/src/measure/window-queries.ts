/**
 * Statements that each window with events costs whatever it holds: sequencer, replay log, hub, the writer's transaction. Fitted to ten
 * runs of 100 and 1,000 images, from 3 to 39 images/s on one machine, 592 to 3,387 statements. A slow machine has more windows for the
 * same images, up to 27 statements an image instead of 6, so the raw figure says more of the machine than of the program.
 */
const WINDOW_QUERIES = 23;

/** Statements for each image beyond those of windows, for two programs beside each other; falls towards 0 where windows are not full. */
export const netQueriesPerImage = (queries: number, images: number, frames: number): number =>
  (queries - WINDOW_QUERIES * frames) / images;

/**
 * What images share by the occasions at which they do: a window of events, a claim of a worker (and the hand-out by the relay that goes
 * before it), a write of outcomes, the batch itself. Fitted to 14 runs of 100 and 1,000 images, 25 to 45 images/s, beside 0, 2 and 4 busy
 * loops, 482 to 3,370 statements: what is left is -0.2 to 0.3 statements an image. Windows alone leave -0.2 to 1.5: equal runs of 17 windows had 23 to
 * 29 writes.
 */
const SHARED = { window: 8, claim: 8.5, write: 6, batch: 50 };

/** What a batch did in the database, counted by the service. */
export interface BatchStatements {
  queries: number;
  frames: number;
  claims: number;
  writes: number;
}

/** Statements for each image beyond those that it shares, comparable between machines and for batches of any size. */
export const queriesOfAnImage = ({ queries, frames, claims, writes }: BatchStatements, images: number): number =>
  (queries - SHARED.window * frames - SHARED.claim * claims - SHARED.write * writes - SHARED.batch) / images;
