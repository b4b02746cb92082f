/**
 * A service that speaks just enough of the interface to be compared: it "computes" by burning CPU. `plant.json` beside it says what this
 * commit does wrong. Its database is a child process that calls itself so.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const plant = JSON.parse(readFileSync(join(import.meta.dirname, 'plant.json'), 'utf8'));
const { burnMs = 4, queries = 1, bytes = 100, dieAtBatch = 0, doesNotInstall = false, twice = false } = plant;
const { WebSocketServer } = createRequire(plant.modules)('ws');

if (process.argv.includes('--help')) {
  if (doesNotInstall) console.error('ETARGET: no such version of left-pad');
  process.exit(doesNotInstall ? 1 : 0);
}
// A helper in a group of its own, as PostgreSQL's processes are.
const helper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });

const sockets = new Set();
const images = [];
let seq = 0;
let batches = 0;
let asked = 0;

function burn(ms) {
  const until = process.cpuUsage().user + ms * 1000;
  while (process.cpuUsage().user < until) Math.sqrt(until);
}

// It runs on whatever Node is there, 20 too.
async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function filesOf(body, type) {
  const boundary = Buffer.from(`--${type.split('boundary=')[1]}`);
  const files = [];
  for (let at = body.indexOf(boundary); ;) {
    const next = body.indexOf(boundary, at + 1);
    if (next < 0) return files;
    const part = body.subarray(at + boundary.length + 2, next - 2);
    const head = part.indexOf('\r\n\r\n');
    const name = /filename="([^"]*)"/.exec(part.subarray(0, head).toString())[1];
    files.push({
      name,
      sha256: createHash('sha256')
        .update(part.subarray(head + 4))
        .digest('hex'),
    });
    at = next;
  }
}

async function runBatch(id, imageIds) {
  if (++batches === dieAtBatch) process.kill(process.ppid, 'SIGKILL');
  if (batches === dieAtBatch) process.exit(9);
  for (const imageId of imageIds) {
    await new Promise((done) => setTimeout(done, 1));
    burn(burnMs);
    asked += queries;
    for (let time = 0; time < (twice ? 2 : 1); time++) send(id, [{ imageId, batchId: id, status: 'completed' }], []);
  }
  send(id, [], [{ id, status: 'completed' }]);
}

function send(_id, events, states) {
  const from = seq + 1;
  const numbered = events.map((event) => ({ seq: ++seq, ...event }));
  const frame = JSON.stringify({ type: 'events', epoch: 'e', from, to: seq, events: numbered, batches: states });
  for (const socket of sockets) socket.send(frame);
}

const server = createServer((request, reply) => void answer(request, reply));

async function answer(request, reply) {
  const json = (status, value) =>
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const body = await bodyOf(request);
  const path = request.url.split('?')[0];
  if (path === '/readyz') return json(200, { status: 'ok' });
  if (request.headers.authorization !== `Bearer ${process.env.BOOTSTRAP_API_KEY}`) return json(401, {});
  if (request.method === 'POST' && path === '/api/projects') return json(201, { id: randomUUID() });
  if (request.method === 'POST' && path.endsWith('/images')) {
    const added = filesOf(body, request.headers['content-type']).map((file) => ({ id: randomUUID(), ...file }));
    images.push(...added);
    return json(201, { images: added, rejected: [] });
  }
  if (request.method === 'POST' && path.endsWith('/batches')) {
    const { imageIds } = JSON.parse(body.toString());
    const id = randomUUID();
    json(202, { id, total: imageIds.length });
    return void runBatch(id, imageIds);
  }
  json(200, { text: 'x'.repeat(bytes) });
}
new WebSocketServer({ server }).on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.send(JSON.stringify({ type: 'hello', projectId: 'p', epoch: 'e', seq }));
});
const metrics = createServer((_request, reply) => {
  const lines = ['# HELP a b', `segbench_db_query_duration_seconds_count ${asked}`];
  lines.push(`segbench_stage_duration_seconds_sum{stage="infer"} ${asked * 0.01}`);
  lines.push(`segbench_stage_duration_seconds_count{stage="infer"} ${asked}`);
  reply.end(`${lines.join('\n')}\n`);
});
process.on('SIGTERM', () => {
  helper.kill('SIGKILL');
  process.exit(0);
});
metrics.listen(0, '127.0.0.1', () => {
  server.listen(0, '127.0.0.1', () => process.stdout.write(`ready http://127.0.0.1:${server.address().port}\n`));
});
