import { validate } from '@readme/openapi-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Document, Operation, Parameter, Reply } from '../../src/openapi/document.ts';
import { OPERATIONS } from '../../src/openapi/operations.ts';
import { TAGS } from '../../src/openapi/words.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { createAjv, errorsIn } from './schemas.ts';

let service: TestApp;
let document: Document;
const operations: { at: string; path: string; method: string; operation: Operation }[] = [];
const names = (list: Iterable<string>) => [...list].toSorted();
/** Places where `fails` holds, as the failure message shows them. */
const where = (fails: (operation: Operation, at: string) => boolean) =>
  operations.filter(({ operation, at }) => fails(operation, at)).map(({ at }) => at);
const replyOf = (reply: Reply): Reply =>
  reply.$ref ? (document.components.responses[reply.$ref.split('/').at(-1)!] ?? {}) : reply;

/** The router's own tree as `METHOD /path`, without the HEAD that comes with each GET. */
function routesOf(tree: string): string[] {
  const stack: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const match = /^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line);
    if (!match) return [];
    const depth = match[1]!.length / 4;
    stack.splice(depth, Infinity, match[2]!);
    const methods = (match[3] ?? '').split(', ').filter((method) => method !== '' && method !== 'HEAD');
    return methods.map((method) => `${method} ${stack.join('').replace('//', '/')}`);
  });
}

beforeAll(async () => {
  // Without built pages, whose files would be routes as well.
  service = await startTestApp({ DASHBOARDS_DIR: '/nowhere' });
  document = (await (await service.call('/openapi.json', { key: null })).json()) as Document;
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods))
      operations.push({ at: `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`, path, method, operation });
});
afterAll(() => service.close());

describe('the document', () => {
  it('is valid OpenAPI 3.1 by an independent validator', async () => {
    expect(document.openapi).toBe('3.1.0');
    const verdict = await validate(structuredClone(document) as never);
    expect(verdict.valid ? [] : verdict.errors).toEqual([]);
    const broken = structuredClone(document);
    delete (broken.paths['/api/projects']!['post'] as Partial<Operation>).responses;
    (broken.paths['/api/projects']!['get'] as { parameters: unknown }).parameters = 'none';
    expect((await validate(broken as never)).valid).toBe(false);
  });

  it('names every route of the service and nothing else', () => {
    const pages = /^\/($|runs|projects|images|capacity|keys|naive|assets|blocker|docs\/page|graphql\/explorer)/;
    const routes = routesOf(service.app.printRoutes({ commonPrefix: false })).filter(
      (at) => !pages.test(at.split(' ')[1]!),
    );
    expect(names(operations.map(({ at }) => at))).toEqual(names(routes));
    const known = new Set(routes);
    const absent = Object.keys(OPERATIONS).filter((at) => !known.has(at));
    expect(absent, 'notes on routes that are gone').toEqual([]);
  });

  it('gives each operation an id of its own, a known tag, a summary and described parameters', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(TAGS.map(({ name }) => name));
    expect(where(({ tags: own = [] }) => own.length === 0 || own.some((tag) => !tags.has(tag)))).toEqual([]);
    expect(where(({ summary }) => !summary)).toEqual([]);
    const silent = operations.flatMap(({ at, operation }) =>
      (operation.parameters ?? []).filter(({ description }) => !description).map(({ name }) => `${at}: ${name}`),
    );
    expect(silent, 'parameters without a description: add them to src/openapi/words.ts').toEqual([]);
  });

  it('says of each operation who may use it and which statuses it can give', () => {
    const has = (status: string) => (operation: Operation) => Object.hasOwn(operation.responses, status);
    const isOpen = ({ security }: Operation) => security?.length === 0;
    expect(names(where(isOpen))).toEqual(
      names(['GET /openapi.json', 'GET /docs', 'GET /healthz', 'GET /readyz', 'POST /api/session']),
    );
    expect(where((operation) => !isOpen(operation) && !has('401')(operation))).toEqual([]);
    expect(where((operation, at) => at.includes('/:') && !has('404')(operation))).toEqual([]);
    expect(
      where(
        (operation) =>
          operation.requestBody !== undefined && !['400', '413', '415'].every((status) => has(status)(operation)),
      ),
    ).toEqual([]);
    expect(where((operation, at) => at.includes('/api/') && !isOpen(operation) && !has('429')(operation))).toEqual([]);
    expect(where((operation) => !has('500')(operation))).toEqual([]);
    expect(names(where(has('416')))).toEqual([
      'GET /api/download/:exportId',
      'GET /api/images/:id/file',
      'GET /api/runs/:id/report',
    ]);
    expect(where(has('409')).length).toBeGreaterThanOrEqual(6);
    expect(where(({ responses }) => Object.keys(responses).some((status) => !/^\d{3}$/.test(status)))).toEqual([]);
  });

  it('has examples, and each is valid by its own schema in strict draft 2020-12', () => {
    const ajv = createAjv(document);
    const problems: string[] = [];
    let checked = 0;
    const check = (at: string, schema: unknown, value: unknown) => {
      checked++;
      problems.push(...errorsIn(ajv, schema, value).map((error) => `${at}: ${error}`));
    };
    for (const { at, operation } of operations) {
      for (const { name, schema, example, in: where, required } of operation.parameters ?? []) {
        if (example !== undefined) check(`${at} ${where} ${name}`, schema, example);
        else if (required && where === 'path') problems.push(`${at}: path parameter ${name} has no example`);
      }
      const contents = [
        ['body', operation.requestBody?.content],
        ...Object.entries(operation.responses).map(([status, reply]) => [status, replyOf(reply).content]),
      ] as [string, Reply['content']][];
      for (const [part, content = {}] of contents)
        for (const [type, { schema, example, examples }] of Object.entries(content)) {
          // A file of JSON is bytes to the document.
          if (type !== 'application/json' || schema === undefined) continue;
          const values = examples ? Object.values(examples).map(({ value }) => value) : [example];
          for (const value of values)
            if (value === undefined) problems.push(`${at} ${part}: no example`);
            else check(`${at} ${part}`, schema, value);
        }
    }
    expect(problems).toEqual([]);
    expect(checked).toBeGreaterThan(200);
  });

  it('describes the contract’s shapes once, by reference', () => {
    const { schemas } = document.components;
    for (const name of [
      'Batch',
      'Image',
      'Project',
      'Result',
      'ErrorBody',
      'ProjectPage',
      'ImagePage',
      'UploadReply',
      'ServerFrame',
      'BatchBody',
    ])
      expect(Object.keys(schemas)).toContain(name);
    const text = JSON.stringify(document.paths);
    expect(text).not.toContain('"polygonCount":{');
    expect(text).toContain('"#/components/schemas/Batch"');
  });

  it('describes multipart, ndjson, the binary form, pictures, ranges and the socket', () => {
    const at = (method: string, path: string) => document.paths[path]![method]!;
    const types = (reply: Reply | undefined) => Object.keys(reply?.content ?? {});
    expect(Object.keys(at('post', '/api/projects/{id}/images').requestBody!.content)).toEqual(['multipart/form-data']);
    expect(types(at('post', '/api/segmentation/batch/results').responses['200'])).toEqual([
      'application/json',
      'application/x-ndjson',
      'application/vnd.segbench.polygons',
    ]);
    expect(types(at('get', '/api/images/{id}/render').responses['200'])).toContain('image/avif');
    const file = at('get', '/api/images/{id}/file');
    expect(Object.keys(file.responses)).toEqual(expect.arrayContaining(['200', '206', '304', '416']));
    expect(Object.keys(file.responses['206']!.headers!)).toContain('content-range');
    expect(file.parameters!.map(({ name }: Parameter) => name)).toEqual(expect.arrayContaining(['range', 'if-range']));
    expect(Object.keys(at('get', '/api/events').responses)).toContain('101');
  });
});
