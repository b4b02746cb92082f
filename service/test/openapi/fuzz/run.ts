import { Agent, request as httpRequest } from 'node:http';
import type { Document, Operation } from '../../../src/openapi/document.ts';
import { ERRORS } from '../../../src/errors.ts';
import { problemsOf, type Answer } from '../answers.ts';
import { createAjv, errorsIn } from '../schemas.ts';
import type { FuzzRequest, Keys } from './assemble.ts';
import { drawRequests } from './requests.ts';

export interface FuzzReport {
  sent: number;
  byStatus: Record<number, number>;
  byKind: Record<string, number>;
  problems: string[];
}
export interface FuzzOptions {
  url: string;
  document: Document;
  keys: Keys;
  idsFor: (name: string) => readonly string[];
  leaveOut: ReadonlySet<string>;
  seed: number;
  count: number;
  lanes?: number;
}

/** The raw exchange: nothing normalises the path, nothing is decoded. */
function exchange(agent: Agent, base: URL, { method, path, headers, body }: FuzzRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const call = httpRequest(
      { agent, host: base.hostname, port: base.port, path, method, headers: { ...headers, ...length } },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('error', reject);
        reply.on('end', () => {
          const named = new Headers();
          for (let at = 0; at < reply.rawHeaders.length; at += 2)
            named.append(reply.rawHeaders[at]!, reply.rawHeaders[at + 1]!);
          resolve({ status: reply.statusCode ?? 0, headers: named, body: Buffer.concat(chunks) });
        });
      },
    );
    call.setTimeout(30_000, () => call.destroy(new Error('no answer in 30 s')));
    call.on('error', reject);
    call.end(body);
  });
}

/** How the messages say what would be right; an upload's says it for each file. */
const ALLOWED = /expected|allowed|missing|must|no file was accepted/;
/** As a message shows it: JSON, cut. */
const startOf = (value: string) => JSON.stringify(value).slice(1, 20).replace(/"$/, '');
const ERROR = { $ref: '#/components/schemas/ErrorBody' };
const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
};

/** All that is wrong with an answer to this request. */
function judge(
  document: Document,
  ajv: ReturnType<typeof createAjv>,
  operation: Operation,
  request: FuzzRequest,
  answer: Answer,
): string[] {
  const { status, body } = answer;
  const problems: string[] = [];
  if (status >= 500) problems.push(`status ${status}`);
  if (request.method === 'HEAD') return body.length > 0 ? [...problems, 'a HEAD has a body'] : problems;
  if (request.unrouted) {
    if (![400, 401, 404, 405, 415].includes(status)) problems.push(`an unknown route answers ${status}`);
    if (status === 405 && !answer.headers.get('allow')) problems.push('a 405 does not say what is allowed');
    problems.push(...errorsIn(ajv, ERROR, parsed(body)));
    const { code } = (parsed(body) ?? {}) as { code?: string };
    if (!Object.hasOwn(ERRORS, code ?? '')) problems.push(`code ${code} is not the service's`);
    return problems;
  }
  problems.push(...problemsOf(document, ajv, operation, answer));
  if (request.expected && !request.expected.includes(status))
    problems.push(`status ${status}, expected ${request.expected.join(' or ')}`);
  if (status >= 400) {
    const { code, message } = (parsed(body) ?? {}) as { code?: string; message?: string };
    if (!Object.hasOwn(ERRORS, code ?? '')) problems.push(`code ${code} is not the service's`);
    if (request.field !== undefined && status === 400 && !message?.includes(request.field))
      problems.push(`the message does not name ${request.field}: ${message}`);
    if (request.value !== undefined && status === 400 && !message?.includes(startOf(request.value)))
      problems.push(`the message does not show ${request.value.slice(0, 40)}: ${message}`);
    if ([400, 413, 415].includes(status) && !ALLOWED.test(message ?? ''))
      problems.push(`the message does not say what is allowed: ${message}`);
  }
  return problems;
}

const shown = ({ kind, operationId, method, path, body, headers }: FuzzRequest) =>
  `${kind}, ${operationId}: ${method} ${path.slice(0, 300)} ${JSON.stringify({ ...headers, authorization: undefined })} ${(body ?? '').slice(0, 300)}`;

/** Sends `count` requests drawn with `seed`, several at a time, and judges every answer by the document. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { document, lanes = 4 } = options;
  const ajv = createAjv(document);
  const resolve = (ref: string) => document.components.schemas[ref.split('/').at(-1) ?? ''] ?? {};
  const requests = drawRequests(document, { ajv, resolve, idsFor: options.idsFor }, options.keys, options);
  const operations = new Map(
    Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => [operation.operationId, operation] as const),
    ),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });
  const base = new URL(options.url);
  const report: FuzzReport = { sent: 0, byStatus: {}, byKind: {}, problems: [] };
  let next = 0;
  async function lane(): Promise<void> {
    for (let index = next++; index < requests.length; index = next++) {
      const request = requests[index]!;
      report.byKind[request.kind] = (report.byKind[request.kind] ?? 0) + 1;
      try {
        const answer = await exchange(agent, base, request);
        report.sent++;
        report.byStatus[answer.status] = (report.byStatus[answer.status] ?? 0) + 1;
        const problems = judge(document, ajv, operations.get(request.operationId)!, request, answer);
        if (problems.length > 0)
          report.problems.push(
            `#${index} ${shown(request)}\n    → ${answer.status} ${answer.body.toString('latin1').slice(0, 300)}\n    ${problems.join('\n    ')}`,
          );
      } catch (error) {
        report.problems.push(`#${index} ${shown(request)}\n    → ${String(error)}`);
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  agent.destroy();
  return report;
}
