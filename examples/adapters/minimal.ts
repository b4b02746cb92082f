/**
 * A whole adapter, for a service with four routes: `POST /images` takes a file and answers `{id}`, `POST /runs` takes `{imageIds}`,
 * `POST /states` takes `{imageIds}` and answers a list of `{imageId, status, result}`, and `/events?after=N` is a WebSocket that
 * brings `{imageId, status, sequence}` a message, from the event after N on. MY_SERVICE_URL says where it is.
 */
import type { Target, TargetConfig, TargetEvent, TargetResult } from '../../loadtest/src/targets/target.ts';

export default function createTarget(): Target {
  const url = process.env['MY_SERVICE_URL'] ?? 'http://127.0.0.1:9000';
  let config: TargetConfig;
  let socket: WebSocket;
  let isOpen = true;

  async function post<T>(path: string, body: Uint8Array<ArrayBuffer> | string): Promise<T> {
    const reply = await fetch(url + path, { method: 'POST', body, signal: config.signal });
    if (!reply.ok) throw new Error(`POST ${url}${path}: status ${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as T;
  }

  return {
    async open(given) {
      config = given;
      await post('/states', JSON.stringify({ imageIds: [] }));
      return { name: 'my service', address: url };
    },
    upload: (files) =>
      Promise.all(
        files.map(async ({ name, bytes }) => ({ name, imageId: (await post<{ id: string }>('/images', bytes)).id })),
      ),
    start: (imageIds) => post('/runs', JSON.stringify({ imageIds })),
    results: (imageIds) => post<TargetResult[]>('/states', JSON.stringify({ imageIds })),
    async events(handler) {
      const line = await config.through(url.replace(/^http/, 'ws'));
      const first = Promise.withResolvers<void>();
      let after = 0;
      let connection = 0;
      const connect = (): void => {
        socket = new WebSocket(`${line}/events?after=${after}`);
        socket.onopen = () => (connection++, first.resolve());
        socket.onmessage = ({ data }: MessageEvent<string>) => {
          const event = JSON.parse(data) as TargetEvent;
          after = event.sequence ?? after;
          handler({ ...event, connection });
        };
        socket.onclose = () => isOpen && setTimeout(connect, 100);
      };
      connect();
      await first.promise;
    },
    close() {
      isOpen = false;
      socket?.close();
      return Promise.resolve();
    },
  };
}
