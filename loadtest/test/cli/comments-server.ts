import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Comment {
  id: number;
  body: string;
  user: { login: string };
  author: { id: number };
}
/** Who wrote it, by either interface's name for that. */
interface Writer {
  login: string;
  id: number;
}
export const OURSELVES: Writer = { login: 'github-actions[bot]', id: 7 };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const { body } = JSON.parse(Buffer.concat(await request.toArray()).toString() || '{}') as { body?: string };
  return body ?? '';
}

/** The comments of one pull request (GitHub) or merge request (GitLab), with the calls that both interfaces have for them. */
export async function startCommentsServer(token: string) {
  const comments: Comment[] = [];
  const add = (body: string, { login, id }: Writer): Comment => {
    const comment = { id: comments.length + 1, body, user: { login }, author: { id } };
    comments.push(comment);
    return comment;
  };
  const asked: string[] = [];
  const lists = ['/repos/o/r/issues/12/comments', '/projects/34/merge_requests/12/notes'];
  const ones = [
    /^PATCH \/repos\/o\/r\/issues\/comments\/(\d+)$/,
    /^PUT \/projects\/34\/merge_requests\/12\/notes\/(\d+)$/,
  ];

  async function answer(request: IncomingMessage): Promise<[number, unknown]> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://host');
    const line = `${request.method} ${pathname}`;
    asked.push(line);
    const given = request.headers['private-token'] ?? request.headers.authorization?.replace('Bearer ', '');
    if (given !== token) return [401, { message: 'who are you?' }];
    if (line === 'GET /user') return [200, { id: OURSELVES.id }];
    if (lists.includes(pathname) && request.method === 'POST') return [201, add(await bodyOf(request), OURSELVES)];
    if (lists.includes(pathname)) {
      const [page, size] = ['page', 'per_page'].map((name) => Number(searchParams.get(name) ?? 1));
      return [200, comments.slice((page! - 1) * size!, page! * size!)];
    }
    const id = ones.map((one) => one.exec(line)?.[1]).find((found) => found !== undefined);
    const comment = comments.find((one) => String(one.id) === id);
    if (comment === undefined) return [404, { message: `no ${line}` }];
    comment.body = await bodyOf(request);
    return [200, comment];
  }
  const server = createServer((request, reply) => {
    void answer(request).then(([status, value]) =>
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments,
    add,
    asked,
    stop: () => void server.close(),
  };
}
