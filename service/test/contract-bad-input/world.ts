import { readdir } from 'node:fs/promises';
import type { Document, Operation, Parameter } from '../../src/openapi/document.ts';
import type { JsonSchema } from '../../src/openapi/examples.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { makeResults } from '../support/runs.ts';
import { problemsOfRefusal, type Expected } from './judge.ts';
import { send, type WireAnswer, type WireRequest } from './wire.ts';

export type Noun = 'projects' | 'images' | 'batches' | 'exports' | 'keys' | 'runs';
/** One operation of the document, with what a right request to it has. */
export interface Call {
  /** `POST /api/projects/{id}/batches` */
  at: string;
  method: string;
  path: string;
  operation: Operation;
  parameters: readonly Parameter[];
  needsKey: boolean;
  /** Of the JSON body; null where the operation takes none. */
  body: { schema: JsonSchema; example: unknown; optional: boolean } | null;
  multipart: boolean;
}
export interface World {
  service: TestApp;
  document: Document;
  calls: readonly Call[];
  /** Two of each that exist, but for keys, exports and runs, of which there is one. */
  ids: Record<Noun, readonly string[]>;
  resolve: (schema: JsonSchema) => JsonSchema;
  /** A request to which nothing is wrong, changed by `change`. */
  request(call: Call, change?: Change): WireRequest;
  ask(call: Call, change?: Change): Promise<WireAnswer>;
  /** What is wrong with the refusal of a request with something wrong, as a line that says where. */
  refused(call: Call, what: string, change: Change, expected: Expected): Promise<string[]>;
  /** Everything that the database and the folder hold, to compare with later. */
  state(): Promise<string>;
  /** What a refusal must leave: a service that answers, and nothing written since `before`. @throws Error */
  untouched(before: string): Promise<void>;
  close(): Promise<void>;
}
export interface Change {
  method?: string;
  path?: Record<string, string>;
  query?: string;
  headers?: readonly (readonly [string, string])[];
  /** Left out of the headers, by name. */
  without?: readonly string[];
  /** Sent as it is; undefined for none. */
  body?: string | Buffer | undefined;
}

export const UNKNOWN_ID = '01980000-0000-7000-8000-0000000000ff';

/** What a path parameter is the id of. */
export const nounOf = (path: string, parameter: string): Noun =>
  parameter === 'exportId' ? 'exports' : ((/\/([a-z]+)\/\{id\}/.exec(path)?.[1] ?? 'projects') as Noun);

/** Ids in an example are made up: those of the world take their places. */
function withIds(text: string, ids: World['ids']): string {
  const order: (Noun | null)[] = ['projects', 'images', 'batches', 'exports', 'keys', null, 'runs'];
  return order.reduce(
    (all, noun, index) =>
      noun === null ? all : all.replaceAll(`01980000-0000-7000-8000-00000000000${index + 1}`, ids[noun][0]!),
    text,
  );
}

export async function createWorld(env: Record<string, string> = {}): Promise<World> {
  const results = await makeResults();
  const service = await startTestApp({ RESULTS_DIR: results.dir, ...env });
  const document = (await (await service.call('/openapi.json')).json()) as Document;
  const made = async <T>(path: string, json: unknown) => {
    const reply = await service.call(path, { method: 'POST', json });
    if (reply.status >= 300) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as T;
  };
  const projects = [
    await made<{ id: string }>('/api/projects', { name: 'one' }),
    await made<{ id: string }>('/api/projects', { name: 'two' }),
  ].map(({ id }) => id);
  const images = await uploadPictures(service, projects[0]!, 3);
  const finished = await finishBatch(service, projects[0]!, images, [3, 1, null]);
  await service.sql`update batch_items set finished_at = now() where finished_at is null`;
  const running = await made<{ id: string }>(`/api/projects/${projects[0]}/batches`, { imageIds: [images[2]!.id] });
  const exported = await made<{ id: string }>(`/api/batches/${finished}/exports`, { format: 'csv' });
  while (((await (await service.call(`/api/exports/${exported.id}`)).json()) as { status: string }).status !== 'ready')
    await new Promise((resolve) => setTimeout(resolve, 20));
  const key = await made<{ id: string }>('/api/keys', { name: 'spare', scopes: ['read'] });
  const ids: World['ids'] = {
    projects,
    images: images.map(({ id }) => id),
    batches: [finished, running.id],
    exports: [exported.id],
    keys: [key.id],
    runs: [results.runId],
  };

  const resolve = (schema: JsonSchema): JsonSchema =>
    schema.$ref === undefined ? schema : (document.components.schemas[schema.$ref.split('/').at(-1)!] ?? {});
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Call => {
      const media = operation.requestBody?.content['application/json'];
      return {
        at: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        operation,
        parameters: operation.parameters ?? [],
        needsKey: (operation.security ?? []).length > 0,
        body: media?.schema
          ? {
              schema: resolve(media.schema),
              example: JSON.parse(withIds(JSON.stringify(media.example ?? null), ids)),
              optional: operation.requestBody?.required === false,
            }
          : null,
        multipart: operation.requestBody?.content['multipart/form-data'] !== undefined,
      };
    }),
  );

  const world: World = {
    service,
    document,
    calls,
    ids,
    resolve,
    request(call, change = {}) {
      const given = change.path ?? {};
      const path = call.path.replace(
        /\{(\w+)\}/g,
        (_, name: string) => given[name] ?? ids[nounOf(call.path, name)][0]!,
      );
      const needed = call.parameters.filter(({ in: where, required }) => where === 'query' && required);
      const own = needed.map(({ name }) => `${name}=${ids[name === 'projectId' ? 'projects' : 'images'][0]}`);
      const query = [
        ...own.filter((pair) => !(change.query ?? '').startsWith(pair.split('=')[0]!)),
        ...(change.query === undefined ? [] : [change.query]),
      ].join('&');
      const json = call.body !== null && !call.body.optional;
      const body = 'body' in change ? change.body : json ? JSON.stringify(call.body!.example) : undefined;
      const changed = new Set([
        ...(change.headers ?? []).map(([name]) => name.toLowerCase()),
        ...(change.without ?? []),
      ]);
      const usual: (readonly [string, string])[] = [
        ['authorization', `Bearer ${TEST_KEY}`],
        ...(body === undefined || call.body === null ? [] : [['content-type', 'application/json'] as const]),
      ];
      return {
        method: change.method ?? call.method,
        target: query === '' ? path : `${path}?${query}`,
        headers: [...usual.filter(([name]) => !changed.has(name)), ...(change.headers ?? [])],
        ...(body !== undefined && { body }),
      };
    },
    ask: (call, change) => send(service.url, world.request(call, change)),
    async refused(call, what, change, expected) {
      const said = (problems: string[]) =>
        problems.length === 0 ? [] : [`${call.at}, ${what}: ${problems.join('; ')}`];
      try {
        return said(
          problemsOfRefusal(
            await world.ask(call, change),
            { ...expected, secrets: [TEST_KEY, ...(expected.secrets ?? [])] },
            { document, operation: call.operation },
          ),
        );
      } catch (error) {
        return said([String(error)]);
      }
    },
    // Without `event_streams`: a reader of the index may begin a numbering.
    async state() {
      const { sql } = service;
      const tables = await sql<
        { name: string }[]
      >`select table_name as name from information_schema.tables where table_schema = 'public' and table_name <> 'event_streams' order by 1`;
      const rows: string[] = [];
      for (const { name } of tables) {
        const [row] = await sql<{ count: number; digest: string | null }[]>`
          select count(*) as count, md5(string_agg((to_jsonb(t) - 'last_used_at')::text, ',' order by t::text)) as digest from ${sql(name)} t`;
        rows.push(`${name}: ${row!.count} ${row!.digest}`);
      }
      const files = (await readdir(service.dataDir, { recursive: true }))
        .filter((file) => !file.startsWith('derived'))
        .toSorted();
      return [...rows, ...files].join('\n');
    },
    async untouched(before) {
      const { status } = await service.call('/readyz');
      if (status !== 200) throw new Error(`the service answers ${status}`);
      const after = await world.state();
      const had = new Set(before.split('\n'));
      const news = after.split('\n').filter((line) => !had.has(line));
      if (after !== before) throw new Error(`something was written, or is gone: ${news.join('; ')}`);
    },
    async close() {
      await service.close();
      await results.remove();
    },
  };
  return world;
}

/** A table's failures as one text, to compare with `''`: the first of them, and how many there are. */
export const listed = (problems: readonly string[]): string =>
  problems.length === 0 ? '' : `${problems.length}:\n${problems.slice(0, 40).join('\n')}`;
