import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** A gallery as small as the measures allow: it does what `script` says when a frame of events comes. */
const pageOf = (script: string) => `<!doctype html><title>fake</title><h1>Gallery</h1>
<button onclick="fetch('/api/projects/p/batches', {method: 'POST', body: '{}'})">Segment all</button>
<div role="progressbar" aria-valuenow="0" aria-valuemax="0"></div>
<div id="box" style="height: 400px; overflow-y: auto"></div>
<script>
  const bar = document.querySelector('[role=progressbar]');
  const box = document.querySelector('#box');
  for (let index = 0; index < 40; index++) {
    const cell = document.createElement('div');
    cell.dataset.imageId = 'i' + index;
    cell.dataset.status = 'uploaded';
    cell.style.height = '100px';
    box.append(cell);
  }
  const finish = () => {
    for (const cell of box.children) { cell.dataset.status = 'completed'; cell.dataset.polygonCount = '2'; }
    bar.dataset.batchId = 'b';
    bar.setAttribute('aria-valuemax', '40');
    bar.setAttribute('aria-valuenow', '40');
  };
  const toast = (key) => {
    const node = document.createElement('p');
    node.dataset.toast = key;
    document.body.append(node);
    return node;
  };
  const socket = new WebSocket('ws://' + location.host + '/api/events');
  socket.onmessage = ({ data }) => { const frame = JSON.parse(data); if (frame.type === 'events') onEvents(frame); };
  function onEvents(frame) { ${script} }
</script>`;

/** A reply of so many bytes that never ends. */
export const ENDLESS = { path: '/api/segmentation/endless', bytes: 200_000 };

/** Serves the page, a session, the batch's POST (which sends its only frame at once) and polygons nobody should fetch one by one. */
export async function startFakeGallery(script: string) {
  const sockets = new WebSocketServer({ noServer: true });
  const sentAt: number[] = [];
  const server = createServer((request, reply) => {
    if (request.url === '/api/session')
      return void reply
        .writeHead(200, { 'set-cookie': 'segbench_session=x; HttpOnly', 'content-type': 'application/json' })
        .end('{}');
    if (request.method === 'POST') {
      reply.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'b', total: 40 }));
      const events = Array.from({ length: 40 }, (_, index) => ({
        seq: index + 1,
        imageId: `i${index}`,
        batchId: 'b',
        status: 'completed',
      }));
      const frame = JSON.stringify({ type: 'events', epoch: 'e', from: 1, to: 40, events, batches: [] });
      setTimeout(() => {
        sentAt.push(performance.timeOrigin + performance.now());
        for (const socket of sockets.clients) socket.send(frame);
      }, 50);
      return;
    }
    if (request.url === ENDLESS.path) return void reply.writeHead(200).write(Buffer.alloc(ENDLESS.bytes));
    if (request.url?.startsWith('/api/'))
      return void reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    reply.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(script));
  });
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (client) =>
      client.send(JSON.stringify({ type: 'hello', projectId: 'p', epoch: 'e', seq: 0 })),
    ),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sentAt,
    close(): void {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}
