import type { ErrorBody } from '#contract/common.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import type { Document, Operation } from '../../src/openapi/document.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { startTestApp } from '../support/app.ts';

export interface Found {
  id: string;
  method: string;
  path: string;
  operation: Operation;
}
export interface Ids {
  projects: string;
  images: string;
  batches: string;
  exports: string;
  keys: string;
}
export interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  format?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

/** The real app with one of everything that an id can mean, and what its own document says of it. */
export async function startScene() {
  const service = await startTestApp();
  const document = (await (await service.call('/openapi.json')).json()) as Document;
  const operations: Found[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId!,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
  const idOf = async (path: string, json: object) =>
    ((await (await service.call(path, { method: 'POST', json })).json()) as { id: string }).id;
  const projects = await idOf('/api/projects', { name: 'p' });
  const images = await uploadPictures(service, projects, 2);
  const batches = await finishBatch(service, projects, images, [2, null]);
  const ids: Ids = {
    projects,
    images: images[0]!.id,
    batches,
    exports: await idOf(`/api/batches/${batches}/exports`, { format: 'csv' }),
    keys: await idOf('/api/keys', { name: 'k', scopes: ['read'] }),
  };
  return { service, operations, ids, schemas: document.components.schemas as Record<string, JsonSchema> };
}

export type Scene = Awaited<ReturnType<typeof startScene>>;

/** The address of an operation with ids that are there. */
export function addressOf({ path }: Found, ids: Ids, id?: string): string {
  const owner = path.split('/')[2] as keyof Ids | 'download';
  return path.replace(/\{\w+\}/, id ?? ids[owner === 'download' ? 'exports' : owner] ?? '');
}

/** A body that the operation takes. */
export async function goodBody({ operation }: Found): Promise<RequestInit & { json?: unknown }> {
  const content = operation.requestBody?.content ?? {};
  if (content['multipart/form-data']) return { body: form([{ name: 'a.png', bytes: await picture(1) }]) };
  const example = content['application/json']?.example;
  return example === undefined ? {} : { json: example };
}
export function schemaOf({ schemas }: Scene, { operation }: Found): JsonSchema | undefined {
  const schema = operation.requestBody?.content['application/json']?.schema as
    (JsonSchema & { $ref?: string }) | undefined;
  return schema?.$ref === undefined ? schema : schemas[schema.$ref.split('/').at(-1)!];
}

export interface Refused extends ErrorBody {
  /** What the answer's shape breaks; empty when it is `{statusCode, code, error, message}` and consistent. */
  faults: string[];
}
/** The answer as a refusal, with what is wrong about it as one. */
export async function refusalOf(reply: Response): Promise<Refused> {
  const text = await reply.text();
  let body: Partial<ErrorBody> = {};
  const faults: string[] = [];
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    faults.push(`no JSON: ${text.slice(0, 80)}`);
  }
  if (reply.status < 400 || reply.status >= 500) faults.push(`status ${reply.status}`);
  const fields = Object.keys(body).filter((field) => !['rejected', 'errors'].includes(field));
  if (fields.sort().join() !== 'code,error,message,statusCode') faults.push(`fields ${fields.join()}`);
  if (body.statusCode !== reply.status) faults.push(`statusCode ${body.statusCode} in an answer of ${reply.status}`);
  const known = ERRORS[body.code as ErrorCode] as { statusCode: number } | undefined;
  if (known?.statusCode !== reply.status) faults.push(`code ${body.code} in an answer of ${reply.status}`);
  if ((body.message ?? '').length > 600) faults.push(`a message of ${body.message?.length} characters`);
  return { statusCode: reply.status, code: '', error: '', message: '', ...body, faults } as Refused;
}
