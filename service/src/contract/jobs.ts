/** What travels through Redis: ids only. The generation fences the claim in PostgreSQL. */
export interface SegmentJob {
  batchId: string;
  imageId: string;
  generation: number;
}
export const SEGMENT_QUEUE = 'segment';
/** BullMQ refuses ':' in a custom id, and silently ignores an id it still knows: hence the generation. */
export const jobIdOf = (job: SegmentJob): string => `${job.batchId}_${job.imageId}_${job.generation}`;
