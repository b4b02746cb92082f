import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { Document, Media, Operation, Reply } from '../../src/openapi/document.ts';
import { errorsIn } from './schemas.ts';

export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** A `Range`d or conditional answer has headers that others need not have. */
const ALWAYS = new Set(['etag', 'content-range', 'accept-ranges', 'content-disposition']);

export function replyOf(document: Document, operation: Operation, status: number): Reply | undefined {
  const reply = operation.responses[String(status)];
  return reply?.$ref ? document.components.responses[reply.$ref.split('/').at(-1) ?? ''] : reply;
}

function problemsOfBody(ajv: Ajv2020, media: Media, type: string, body: Buffer): string[] {
  if (type === 'application/json') {
    let value: unknown;
    try {
      value = JSON.parse(body.toString());
    } catch {
      return [`the body is not JSON: ${body.toString().slice(0, 100)}`];
    }
    return media.schema ? errorsIn(ajv, media.schema, value).map((error) => `body ${error}`) : [];
  }
  if (type !== 'application/x-ndjson') return [];
  return body
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      try {
        JSON.parse(line);
        return [];
      } catch {
        return [`a line is not JSON: ${line.slice(0, 100)}`];
      }
    });
}

/** What is wrong with an answer by the document: status, content type, headers, body. Nothing when all is as it says. */
export function problemsOf(document: Document, ajv: Ajv2020, operation: Operation, answer: Answer): string[] {
  const { status, headers, body } = answer;
  const reply = replyOf(document, operation, status);
  if (!reply) return [`status ${status} is not documented: ${body.toString().slice(0, 300)}`];
  const absent = Object.keys(reply.headers ?? {}).filter((name) => ALWAYS.has(name) && !headers.has(name));
  const problems = absent.map((name) => `status ${status} lacks the header ${name}`);
  const types = Object.keys(reply.content ?? {});
  const type = headers.get('content-type')?.split(';')[0]?.trim();
  if (types.length === 0)
    return body.length > 0 ? [...problems, `status ${status} has a body of ${body.length} bytes`] : problems;
  const media = type === undefined ? undefined : reply.content?.[type];
  if (type === undefined || !media) return [...problems, `status ${status} is ${type}, documented ${types.join(', ')}`];
  return [...problems, ...problemsOfBody(ajv, media, type, body)];
}
