import type { ForecastReply, Forecasts, ScoredForecast } from '../contract/forecasts.ts';
import type { Owner } from '../tenants/owner.ts';
import { readDemand, type Wish } from './demand.ts';
import { readGround, since } from './ground.ts';
import { predict, score, shown, type KeptForecast } from './predict.ts';

const SCORED_MAX = 100;
const WEIGHED = 200;

type Made = Omit<ForecastReply, 'forecast'> & { forecast: KeptForecast | null };

/** What a batch would take on `workers()` inference processes. */
export async function makeForecast(owner: Owner, wish: Wish, workers: () => Promise<number>): Promise<Made> {
  const [{ images, reused, demand }, ground, alive] = await Promise.all([
    readDemand(owner, wish),
    readGround(owner, wish.projectId, wish.model),
    workers(),
  ]);
  const forecast = predict(ground, demand, alive);
  const missing = demand.images === 0 ? 'NOTHING_TO_SEGMENT' : alive === 0 ? 'NO_WORKER' : 'NOTHING_MEASURED';
  return { images, reused, forecast, reason: forecast === null ? missing : null };
}

type Row = Omit<ScoredForecast, 'createdAt' | 'inside' | 'forecast'> & { createdAt: Date; forecast: KeptForecast };

/** Forecasts of a tenant's completed batches of the last month beside what these took. A batch that was paused is left out: nobody foresaw that. */
export async function readForecasts({ sql, tenantId }: Owner): Promise<Forecasts> {
  const rows = await sql<Row[]>`
    WITH ended AS (
      SELECT b.id, b.project_id, p.name, b.created_at, b.finished_at, b.completed - b.reused AS made, b.forecast
      FROM batches b JOIN projects p ON p.id = b.project_id AND p.deleted_at IS NULL AND p.tenant_id = ${tenantId}
      WHERE b.id >= ${since()}::uuid AND b.status = 'completed' AND b.forecast IS NOT NULL AND b.resumed_at IS NULL
      ORDER BY b.id DESC LIMIT ${SCORED_MAX}
    )
    SELECT e.id AS "batchId", e.project_id AS "projectId", e.name AS "projectName", e.created_at AS "createdAt", e.forecast,
           extract(epoch FROM e.finished_at - e.created_at)::float8 AS "tookSeconds", round(coalesce(w.mean, 0) * e.made)::float8 AS "gotBytes"
    FROM ended e CROSS JOIN LATERAL (
      SELECT avg(octet_length(r.polygons)) AS mean FROM (
        SELECT result_id FROM batch_items WHERE batch_id = e.id AND status = 'completed' AND worker IS NOT NULL LIMIT ${WEIGHED}
      ) i JOIN results r ON r.id = i.result_id
    ) w ORDER BY e.id DESC`;
  const items = rows.map(({ forecast, createdAt, ...row }): ScoredForecast => ({
    ...row,
    createdAt: createdAt.toISOString(),
    forecast: shown(forecast),
    inside: row.tookSeconds >= forecast.low && row.tookSeconds <= forecast.high,
  }));
  return { items, score: score(items) };
}
