import type { Batch, BatchBody, Failures } from '../contract/batches.ts';
import type { ForecastReply, Forecasts } from '../contract/forecasts.ts';
import type { FailureCode } from '../contract/common.ts';
import { apiError, badValue, notFound } from '../errors.ts';
import type { Transaction } from '../database/client.ts';
import type { Owner } from '../tenants/owner.ts';
import { latestWholeVersion, modelNames } from '../inference/model.ts';
import { makeForecast, readForecasts } from '../forecast/forecasts.ts';
import { shown } from '../forecast/predict.ts';
import { versionIn } from '../inference/sim/label.ts';
import type { Wish } from '../forecast/demand.ts';
import { insertBatch, lockImages, type BatchSpec } from './insert.ts';
import { cancelLocked, lockBatch, pauseLocked, resumeLocked, type BatchHead } from './lifecycle.ts';
import { withRetry } from './locks.ts';
import { readBatches, readFailures, readPage, type BatchPage, type PageRequest } from './read.ts';
import { uuidv7 } from './uuid.ts';
import { webhookTarget } from '../webhooks/target.ts';

export const DEFAULT_MODEL = 'nuclei';

export interface BatchStoreDeps extends Owner {
  modelsDir: string;
  /** `POOL`: what a simulation makes is of a version of its own. */
  pool: string;
  /** False: every image is inferred, whatever is known (`RESULT_CACHE=0`). */
  resultCache: boolean;
  /** `WEBHOOK_ORIGINS`: where a batch may ask to be told of; none where absent. */
  webhookOrigins?: readonly string[];
  /** How many inference processes live. */
  workers: () => Promise<number>;
  /** Called after each commit that changed images of a project. */
  changed: (projectId: string) => Promise<void>;
}

/** @throws ApiError naming the models there are */
async function resolveModel(
  { modelsDir, pool }: Pick<BatchStoreDeps, 'modelsDir' | 'pool'>,
  name: string,
): Promise<{ name: string; version: string }> {
  const names = await modelNames(modelsDir);
  if (!names.includes(name)) throw badValue('model', name, `one of ${names.join(', ')}`);
  return { name, version: versionIn(pool, await latestWholeVersion(modelsDir, name)) };
}

/** Batches as the API offers them. All methods throw ApiError: 404 for unknown ids, 409 where the state forbids it. */
export function createBatchStore(deps: BatchStoreDeps) {
  const { sql, tenantId, resultCache, webhookOrigins = [], changed } = deps;
  async function needProject(tx: Transaction, projectId: string): Promise<void> {
    const [row] =
      await tx`SELECT 1 FROM projects WHERE id = ${projectId} AND deleted_at IS NULL AND tenant_id = ${tenantId} FOR KEY SHARE`;
    if (!row) throw notFound('project', projectId);
  }
  async function nameMissing(tx: Transaction, projectId: string, ids: readonly string[]): Promise<never> {
    const [row] = await tx<{ id: string }[]>`
      SELECT w.id FROM unnest(${[...ids]}::uuid[]) AS w (id)
      WHERE NOT EXISTS (SELECT 1 FROM images i WHERE i.id = w.id AND i.project_id = ${projectId}) LIMIT 1`;
    throw notFound('image', `${row?.id} in project ${projectId}`);
  }
  /** Its id is made behind the images' locks: of two batches of one image the one whose status it has sorts later. */
  async function insert(tx: Transaction, spec: Omit<BatchSpec, 'id'>): Promise<string> {
    const { count, lockedAt } = await lockImages(tx, spec.projectId, spec.imageIds);
    if (spec.imageIds !== null && count < spec.imageIds.length) await nameMissing(tx, spec.projectId, spec.imageIds);
    if (count === 0) throw emptyProject(spec.projectId);
    const id = uuidv7(Math.floor(lockedAt));
    await insertBatch(tx, { ...spec, id });
    return id;
  }
  async function need(id: string): Promise<Batch> {
    const [batch] = await readBatches({ sql, tenantId }, [id]);
    if (!batch) throw notFound('batch', id);
    return batch;
  }
  /** Changes a locked batch and answers with its new state. */
  async function change(id: string, work: (tx: Transaction, batch: BatchHead) => Promise<void>): Promise<Batch> {
    const projectId = await withRetry(() =>
      sql.begin(async (tx) => {
        const batch = await lockBatch(tx, tenantId, id);
        if (!batch) throw notFound('batch', id);
        await work(tx, batch);
        return batch.projectId;
      }),
    );
    await changed(projectId);
    return need(id);
  }
  function refuse(batch: BatchHead, verb: string, allowed: string): never {
    throw apiError('CONFLICT', `batch ${batch.id} is ${batch.status} and cannot be ${verb}: only ${allowed} can`);
  }

  const emptyProject = (projectId: string) =>
    apiError('EMPTY_PROJECT', `project ${projectId} has no images: expected at least one`);
  /** @throws ApiError for what no batch can be made of */
  async function wishOf(projectId: string, body: BatchBody): Promise<Wish> {
    if ((body.all === true) === (body.imageIds !== undefined))
      throw badValue('imageIds', body.imageIds?.length ?? null, 'either imageIds or all: true, and not both');
    return {
      projectId,
      imageIds: body.imageIds === undefined ? null : [...new Set(body.imageIds.map((one) => one.toLowerCase()))],
      model: await resolveModel(deps, body.model ?? DEFAULT_MODEL),
      threshold: body.threshold ?? 0.5,
      channel: body.channel ?? null,
      page: body.page ?? 0,
      detectHoles: body.detectHoles ?? true,
      force: body.force === true || !resultCache,
    };
  }

  const webhookOf = ({ webhook }: BatchBody) => (webhook === undefined ? null : webhookTarget(webhook, webhookOrigins));

  return {
    /** What a batch of this body would take, and how much of it is known already. Nothing is written. */
    async forecast(projectId: string, body: BatchBody): Promise<ForecastReply> {
      const wish = await wishOf(projectId, body);
      // told to nobody, but a body that no batch is made of is none here either
      webhookOf(body);
      const { forecast, ...made } = await makeForecast({ sql, tenantId }, wish, deps.workers);
      if (made.images < (wish.imageIds?.length ?? 1))
        await sql.begin(async (tx) => {
          await needProject(tx, projectId);
          if (wish.imageIds !== null) await nameMissing(tx, projectId, wish.imageIds);
          throw emptyProject(projectId);
        });
      return { ...made, forecast: forecast && shown(forecast) };
    },
    forecasts: (): Promise<Forecasts> => readForecasts({ sql, tenantId }),
    /** @param traceparent of the request that asks, where it is traced */
    async create(projectId: string, body: BatchBody, traceparent: string | null = null): Promise<Batch> {
      const { model, ...wish } = await wishOf(projectId, body);
      const webhook = webhookOf(body);
      const { forecast } = await makeForecast({ sql, tenantId }, { ...wish, model }, deps.workers);
      const spec = {
        ...wish,
        tenantId,
        model: model.name,
        modelVersion: model.version,
        priority: body.priority ?? 0,
        retryOf: null,
        traceparent,
        webhook,
        forecast,
      };
      const id = await withRetry(() =>
        sql.begin(async (tx) => {
          await needProject(tx, projectId);
          return insert(tx, spec);
        }),
      );
      await changed(projectId);
      return need(id);
    },
    get: need,
    /** Those of the given batches that there are. */
    many: (ids: readonly string[]) => readBatches({ sql, tenantId }, ids),
    async list(projectId: string, page: PageRequest): Promise<BatchPage> {
      await sql.begin((tx) => needProject(tx, projectId));
      return readPage({ sql, tenantId }, projectId, page);
    },
    pause: (id: string) =>
      change(id, async (tx, batch) => {
        if (batch.status === 'paused') return;
        if (batch.status !== 'queued' && batch.status !== 'running') refuse(batch, 'paused', 'queued and running ones');
        await pauseLocked(tx, batch, null);
      }),
    resume: (id: string) =>
      change(id, async (tx, batch) => {
        if (batch.status === 'queued' || batch.status === 'running') return;
        if (batch.status !== 'paused') refuse(batch, 'resumed', 'paused ones');
        await resumeLocked(tx, batch);
      }),
    cancel: (id: string) =>
      change(id, async (tx, batch) => {
        if (batch.status === 'cancelled') return;
        if (batch.status === 'completed') refuse(batch, 'cancelled', 'queued, running and paused ones');
        await cancelLocked(tx, batch);
      }),
    /** A new batch of the images that failed in this one, with its settings; where an open retry has them all already, that one. */
    async retry(id: string, code?: FailureCode, traceparent: string | null = null): Promise<Batch> {
      const { projectId, retryId } = await withRetry(() =>
        sql.begin(async (tx) => {
          const head = await lockBatch(tx, tenantId, id);
          if (!head) throw notFound('batch', id);
          const [settings] = await tx<
            Omit<BatchSpec, 'id' | 'tenantId' | 'imageIds' | 'retryOf' | 'traceparent' | 'forecast'>[]
          >`
            SELECT project_id AS "projectId", model, model_version AS "modelVersion", threshold, channel, page,
                   detect_holes AS "detectHoles", priority, force, webhook FROM batches WHERE id = ${id}`;
          // The lock on the batch is held: of two who ask at once, the second one sees the first one's batch.
          const failed = await tx<{ imageId: string; openRetry: string | null }[]>`
            SELECT f.image_id AS "imageId", (
                SELECT r.id FROM batch_items i JOIN batches r ON r.id = i.batch_id
                WHERE i.image_id = f.image_id AND r.retry_of = ${id} AND r.status IN ('queued', 'running', 'paused')
                ORDER BY r.created_at DESC, r.id DESC LIMIT 1) AS "openRetry"
            FROM batch_items f
            WHERE f.batch_id = ${id} AND f.status = 'failed' ${code === undefined ? tx`` : tx`AND f.error_code = ${code}`}`;
          if (failed.length === 0)
            throw apiError(
              'CONFLICT',
              `batch ${id} has no failed images${code === undefined ? '' : ` with code ${code}`}`,
            );
          const left = failed.filter(({ openRetry }) => openRetry === null);
          if (left.length === 0) return { projectId: head.projectId, retryId: failed[0]!.openRetry! };
          const retryId = await insert(tx, {
            ...settings!,
            tenantId,
            imageIds: left.map((row) => row.imageId),
            retryOf: id,
            traceparent,
            forecast: null,
          });
          return { projectId: head.projectId, retryId };
        }),
      );
      await changed(projectId);
      return need(retryId);
    },
    async failures(id: string): Promise<Failures> {
      await need(id);
      return readFailures(sql, id);
    },
  };
}
export type BatchStore = ReturnType<typeof createBatchStore>;
