import type { Document, Operation, Parameter, Reply } from '../../src/openapi/document.ts';
import type { JsonSchema } from '../../src/openapi/examples.ts';

const key = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

/** A JSON Schema of the document as a TypeScript type. */
export function typeOf(schema: JsonSchema | undefined): string {
  if (schema === undefined) return 'unknown';
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeOf).join(' | ');
  const { type = '' } = schema;
  switch (type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return `(${typeOf(schema.items)})[]`;
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    default:
      return 'unknown';
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: JsonSchema): string {
  const fields = Object.entries(properties).map(
    ([name, inner]) => `${key(name)}${required.includes(name) ? '' : '?'}: ${typeOf(inner)};`,
  );
  if (typeof additionalProperties === 'object') fields.push(`[name: string]: ${typeOf(additionalProperties)};`);
  if (fields.length > 0) return `{ ${fields.join(' ')} }`;
  return additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>';
}

function parametersOf(parameters: readonly Parameter[]): string {
  return `{ ${parameters.map(({ name, required, schema }) => `${key(name)}${required ? '' : '?'}: ${typeOf(schema)};`).join(' ')} }`;
}

/** Of the successful reply that says most: JSON where there is JSON, else bytes, text or nothing. */
function replyTypeOf(responses: Record<string, Reply>): string {
  const reply = Object.entries(responses).find(([status]) => /^2\d\d$/.test(status))?.[1];
  const content = reply?.content ?? {};
  const json = content['application/json']?.schema;
  if (json) return typeOf(json);
  const [media] = Object.values(content);
  return media === undefined ? 'undefined' : media.schema ? typeOf(media.schema) : 'Uint8Array<ArrayBuffer>';
}

function routeOf(method: string, path: string, { parameters = [], requestBody, responses }: Operation): string {
  const group = (where: Parameter['in']) => parameters.filter((parameter) => parameter.in === where);
  const body = requestBody?.content['application/json']?.schema;
  const parts = [
    ...(group('path').length > 0 ? [`path: ${parametersOf(group('path'))};`] : []),
    ...(group('query').length > 0 ? [`query: ${parametersOf(group('query'))};`] : []),
    ...(body ? [`body: ${typeOf(body)}${requestBody?.required === false ? ' | undefined' : ''};`] : []),
    `reply: ${replyTypeOf(responses)};`,
  ];
  return `  ${JSON.stringify(`${method.toUpperCase()} ${path}`)}: { ${parts.join(' ')} };`;
}

/** The document's shapes and routes as one TypeScript file. */
export function clientTypes({ paths, components }: Document): string {
  const shapes = Object.entries(components.schemas).map(([name, schema]) => `export type ${name} = ${typeOf(schema)};`);
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => routeOf(method, path, operation)),
  );
  return [
    '// Made from the OpenAPI document; not for editing. After a change of the routes:',
    '// npx vitest run service/test/openapi/client.test.ts --update',
    '',
    ...shapes,
    '',
    '/** Every route by method and path: what it takes and what it answers. */',
    'export interface Routes {',
    ...routes,
    '}',
    '',
  ].join('\n');
}
