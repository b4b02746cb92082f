/**
 * Statements that each window with events costs whatever it holds (sequencer, replay log, hub, the writer's transaction), and those of a
 * batch's start and end. Least squares over nine runs of 100 and 1,000 images, from 3 to 39 images/s on one machine, 592 to 3,387
 * statements: residuals below 0.3 statements an image where windows were full. A slow machine has more windows for the same images,
 * up to 27 statements an image instead of 6, so the raw figure says more of the machine than of the program.
 */
const WINDOW_QUERIES = 22;
const BATCH_QUERIES = 110;

/** Statements for each image beyond those of windows and of the batch; may be below 0 where windows shared their work. */
export const netQueriesPerImage = (queries: number, images: number, frames: number): number =>
  (queries - BATCH_QUERIES - WINDOW_QUERIES * frames) / images;
