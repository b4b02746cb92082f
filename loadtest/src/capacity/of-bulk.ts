import type { Sql } from '../../../service/src/database/client.ts';
import type { RunData } from '../contract.ts';
import { cpuBetween, type CpuReading } from '../measure/processes.ts';
import type { CapacitySection } from './contract.ts';
import { rateOfEnds, readEnds, readShapes } from './measure-batch.ts';

/** A bulk run is a sweep of one level: undefined where its batch was too small to tell a rate. */
export async function capacityOfBulk(given: {
  sql: Sql;
  batchId: string;
  workers: number;
  simulated: boolean;
  images: Pick<RunData['images'], 'count' | 'bytes'>;
  stages: RunData['stages'];
  cpu: { before: CpuReading; after: CpuReading } | undefined;
}): Promise<CapacitySection | undefined> {
  const { sql, batchId, workers, simulated, images, stages, cpu } = given;
  const rows = await readEnds(sql, batchId);
  const rate = rateOfEnds(rows);
  // The service's default: a bench does not set it.
  const maxBatch = 1;
  const shapes = rate === null ? [] : await readShapes(sql, [batchId], maxBatch);
  if (rate === null || shapes.length === 0) return undefined;
  const roles = cpu === undefined ? [] : Object.keys(cpu.after.byRole);
  const cpuMsPerImage = Object.fromEntries(
    roles.map((role) => [role, Math.max(0, cpuBetween(cpu!.before, cpu!.after, [role]) * 1000) / rows.length]),
  );
  const [sums] = await sql<{ polygons: number | null }[]>`
    SELECT avg(octet_length(r.polygons))::float8 AS polygons
    FROM batch_items t JOIN results r ON r.id = t.result_id WHERE t.batch_id = ${batchId}`;
  return {
    simulated,
    maxBatch,
    levels: [{ workers, images: rows.length, ...rate, cpuMsPerImage, stages, inService: null }],
    shapes,
    bytes: {
      file: images.count > 0 && images.bytes > 0 ? images.bytes / images.count : null,
      polygons: sums?.polygons ?? null,
      database: null,
      events: null,
      job: null,
    },
  };
}
