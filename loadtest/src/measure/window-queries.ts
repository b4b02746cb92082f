/**
 * Statements that each window with events costs whatever it holds (sequencer, replay log, hub, the writer's transaction), and those of a
 * batch's start and end. Fitted to ten runs of 100 and 1,000 images, from 3 to 39 images/s on one machine, 592 to 3,387
 * statements: residuals below 0.2 statements an image from 6 images/s on, and in three later runs. A slow machine has more windows for the same images,
 * up to 27 statements an image instead of 6, so the raw figure says more of the machine than of the program.
 */
const WINDOW_QUERIES = 23;
const BATCH_QUERIES = 110;

/** Statements for each image beyond those of windows; falls towards 0 on a slow machine, whose windows are not full. */
export const netQueriesPerImage = (queries: number, images: number, frames: number): number =>
  (queries - WINDOW_QUERIES * frames) / images;

/** The same without those that a batch costs by itself: equal for batches of any size. */
export const queriesOfAnImage = (queries: number, images: number, frames: number): number =>
  netQueriesPerImage(queries - BATCH_QUERIES, images, frames);
