import { shareSchemas } from './components.ts';
import { exampleOf, type JsonSchema } from './examples.ts';
import { keyOf, type RouteFacts } from './facts.ts';
import { FRAMES, SERVER_FRAME } from './frames.ts';
import { idForPath } from './ids.ts';
import { OPERATIONS, defaultOperationId, type Notes } from './operations.ts';
import { HEADERS, errorResponse, errorsOf, headerRefs, responseName } from './responses.ts';
import { PARAMETER_EXAMPLES, describeParameter } from './words.ts';

export interface Media {
  schema?: JsonSchema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
  encoding?: Record<string, { contentType: string }>;
}
export interface Reply {
  $ref?: string;
  description?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, Media>;
}
export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema?: JsonSchema;
  example?: string | number;
}
export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; description?: string; content: Record<string, Media> };
  responses: Record<string, Reply>;
}
export interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, JsonSchema>;
    responses: Record<string, Reply>;
    headers: typeof HEADERS;
    securitySchemes?: Record<string, unknown>;
  };
}

const RATE_HEADERS = ['ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'];
const isBytes = (schema: JsonSchema | undefined) => schema?.format === 'binary';
const STATUS_WORDS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted; it goes on by itself',
  204: 'Done, and nothing to say',
  206: 'The range that was asked for',
};

function describeParameters(path: string, own: readonly Parameter[], { asks = {} }: Notes): Parameter[] {
  const described = own.map((parameter): Parameter => {
    const { name } = parameter;
    const words = parameter.description ?? describeParameter(path, name);
    const isRender = name === 'q' && path.endsWith('/render');
    const example =
      parameter.example ??
      (parameter.in === 'path' || parameter.schema?.format === 'uuid'
        ? idForPath(path, name)
        : PARAMETER_EXAMPLES[isRender ? 'q_render' : name]);
    return { ...parameter, ...(words && { description: words }), ...(example !== undefined && { example }) };
  });
  const headers = Object.entries(asks).map(([name, description]): Parameter => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  return [...described, ...headers];
}

function describeReply(status: string, reply: Reply, facts: RouteFacts, notes: Notes): Reply {
  const { produces = [], headers = [] } = notes;
  const schema = reply.content?.['application/json']?.schema;
  const words = reply.description === 'Default Response' ? undefined : reply.description;
  const named = [...headers, ...(status === '206' ? ['content-range'] : []), ...(facts.limited ? RATE_HEADERS : [])];
  const bytes: [string, Media][] = produces.map((type) => [
    type,
    type.startsWith('text/') ? { schema: { type: 'string' } } : {},
  ]);
  const json: [string, Media][] = reply.content?.['application/json']
    ? [['application/json', reply.content['application/json']]]
    : [];
  const isText = schema === undefined || isBytes(schema) || (produces.length > 0 && schema.type === 'string');
  const content =
    status === '204'
      ? []
      : isText
        ? bytes.length > 0
          ? bytes
          : [['application/octet-stream', {}] as [string, Media]]
        : [...json, ...bytes];
  return {
    description: words ?? STATUS_WORDS[status] ?? 'Done',
    ...(named.length > 0 && { headers: headerRefs(named) }),
    ...(content.length > 0 && { content: Object.fromEntries(content) }),
  };
}

function describe(path: string, operation: Operation, facts: RouteFacts, responses: Record<string, Reply>): Operation {
  const notes: Notes = OPERATIONS[keyOf(facts)] ?? { operationId: defaultOperationId(facts.method, facts.url) };
  const scope = facts.scope ?? notes.scope ?? null;
  const route = { ...facts, scope, needsKey: facts.needsKey || scope !== null };
  const replies = Object.entries(operation.responses)
    .filter(([status]) => /^\d{3}$/.test(status))
    .filter(() => !facts.websocket)
    .map(([status, reply]): [string, Reply] => [status, describeReply(status, reply, route, notes)]);
  for (const [status, description] of Object.entries(notes.bare ?? {}))
    replies.push([
      status,
      { description, ...(status === '304' && { headers: headerRefs(['etag', 'cache-control']) }) },
    ]);
  for (const [status, codes] of errorsOf(route, notes.errors ?? [])) {
    const name = responseName(codes);
    responses[name] ??= errorResponse(codes);
    replies.push([String(status), { $ref: `#/components/responses/${name}` }]);
  }
  const { requestBody } = operation;
  const media = requestBody?.content['application/json'];
  if (media && notes.body !== undefined) media.example = notes.body;
  const parameters = describeParameters(path, operation.parameters ?? [], notes);
  return {
    ...operation,
    ...(notes.description && { description: operation.description ?? notes.description }),
    operationId: operation.operationId ?? notes.operationId,
    security: route.needsKey ? [{ key: [] }, { session: [] }] : [],
    ...(route.scope && { 'x-scope': route.scope }),
    ...(facts.websocket && { 'x-frames': { $ref: '#/components/schemas/ServerFrame' } }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && {
      requestBody: {
        description: `At most ${facts.bodyLimit} bytes`,
        ...requestBody,
        required: notes.bodyOptional !== true,
      },
    }),
    responses: Object.fromEntries(replies.toSorted(([a], [b]) => Number(a) - Number(b))),
  };
}

/** Examples of JSON bodies and replies that have none: made from their schemas, once these are shared. */
function addExamples(document: Document): void {
  const resolve = (ref: string): JsonSchema => document.components.schemas[ref.split('/').at(-1) ?? ''] ?? {};
  for (const operations of Object.values(document.paths))
    for (const { requestBody, responses } of Object.values(operations))
      for (const content of [requestBody?.content, ...Object.values(responses).map((reply) => reply.content)]) {
        const media = content?.['application/json'];
        if (media?.schema && media.example === undefined && !media.examples)
          media.example = exampleOf(media.schema, resolve);
      }
}

/** The whole document from what swagger read off the routes. @param facts by `METHOD /path/:as-fastify-has-it`. */
export function completeDocument(raw: object, facts: ReadonlyMap<string, RouteFacts>): Document {
  const { document, schemas } = shareSchemas(JSON.parse(JSON.stringify(raw)) as Document);
  const responses: Record<string, Reply> = {};
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => {
          const key = `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`;
          const route = facts.get(key);
          if (!route) throw new Error(`the document has ${key}, which no route is known for`);
          return [method, describe(path, operation, route, responses)];
        }),
      ),
    ]),
  );
  const frames = shareSchemas({ inside: JSON.parse(JSON.stringify(FRAMES)) as object }).schemas;
  const shared = shareSchemas({ ErrorBody: document.components.schemas['ErrorBody'] }).schemas;
  const complete: Document = {
    ...document,
    paths,
    components: {
      ...document.components,
      schemas: {
        ...schemas,
        ...shared,
        ...frames,
        ServerFrame: { oneOf: SERVER_FRAME.map((name) => ({ $ref: `#/components/schemas/${name}` })) },
      },
      responses,
      headers: HEADERS,
    },
  };
  addExamples(complete);
  return complete;
}
