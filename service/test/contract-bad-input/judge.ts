import { STATUS_CODES } from 'node:http';
import { ERRORS } from '../../src/errors.ts';
import { replyOf } from '../openapi/answers.ts';
import type { Document, Operation } from '../../src/openapi/document.ts';
import type { WireAnswer } from './wire.ts';

export interface Expected {
  status: number;
  /** One of the table where it is not said which. */
  code?: string;
  /** What the message must contain: the field, its value, what is allowed. */
  names?: readonly string[];
  /** What it must not contain. */
  secrets?: readonly string[];
}

const FIELDS = ['statusCode', 'code', 'error', 'message'];
/** Beside the four: those that the document has for some operations. */
const MORE: Readonly<Record<string, string>> = { NO_IMAGE_ACCEPTED: 'rejected' };

/** Codes that the document has for an answer of this status. */
function documentedCodes(document: Document, operation: Operation, status: number): unknown[] {
  const schema = replyOf(document, operation, status)?.content?.['application/json']?.schema;
  return schema?.properties?.['code']?.enum ?? [];
}

/** All that is wrong with a refusal; nothing when it is as expected, of the errors' one shape, and documented. */
export function problemsOfRefusal(
  answer: WireAnswer,
  expected: Expected,
  at: { document: Document; operation?: Operation | undefined },
): string[] {
  const { status, headers, body } = answer;
  const text = body.toString();
  const problems: string[] = [];
  if (status !== expected.status) problems.push(`status ${status}, expected ${expected.status}`);
  if (headers.get('content-type')?.startsWith('application/json') !== true)
    problems.push(`content-type ${headers.get('content-type')}`);
  let error: Record<string, unknown>;
  try {
    error = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return [...problems, `not JSON: ${text.slice(0, 120)}`];
  }
  const { statusCode, code, error: reason, message } = error;
  const graphql = Object.hasOwn(error, 'errors') ? ['errors'] : [];
  const allowed = [...FIELDS, ...graphql, MORE[String(code)] ?? 'code'];
  const strange = Object.keys(error).filter((name) => !allowed.includes(name));
  if (strange.length > 0) problems.push(`strange fields ${strange.join(', ')}`);
  if (statusCode !== status) problems.push(`statusCode ${String(statusCode)}`);
  if (reason !== STATUS_CODES[status]) problems.push(`error ${String(reason)}`);
  if (!Object.hasOwn(ERRORS, String(code))) problems.push(`code ${String(code)} is not in the table`);
  if (expected.code !== undefined && code !== expected.code)
    problems.push(`code ${String(code)}, expected ${expected.code}`);
  if (at.operation && !documentedCodes(at.document, at.operation, status).includes(code))
    problems.push(`${status} ${String(code)} is not documented`);
  const said = String(message);
  if (said.length > 2000) problems.push(`a message of ${said.length} characters`);
  for (const name of expected.names ?? [])
    if (!said.includes(name)) problems.push(`does not say ${JSON.stringify(name)}`);
  for (const secret of expected.secrets ?? [])
    if (text.includes(secret)) problems.push(`shows ${JSON.stringify(secret)}`);
  if (/\bat (async )?\S+ \(|node_modules|\/src\/|SELECT |select .* from /.test(said))
    problems.push('shows the inside of the service');
  return problems.length > 0 ? [...problems, `message: ${said.slice(0, 300)}`] : [];
}
