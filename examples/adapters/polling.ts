// A whole adapter, of a service that tells nothing by itself: whoever wants to know asks. MY_SERVICE_URL says where it is.
import type { Target, TargetEvent, TargetResult } from '../../loadtest/src/targets/target.ts';

const url = process.env['MY_SERVICE_URL'] ?? 'http://127.0.0.1:9000';
async function post<T>(address: string, body: Uint8Array<ArrayBuffer> | string): Promise<T> {
  const reply = await fetch(address, { method: 'POST', body });
  if (!reply.ok) throw new Error(`POST ${address}: status ${reply.status}`);
  return (await reply.json()) as T;
}

export default function createTarget(): Target {
  const last = new Map<string, string>();
  let line: string;
  let timer: NodeJS.Timeout;
  async function look(handler: (event: TargetEvent) => void): Promise<void> {
    const imageIds = [...last.keys()].filter((id) => last.get(id) !== 'completed' && last.get(id) !== 'failed');
    // Of a broken line nothing is heard: the next look asks again.
    const states = await post<TargetResult[]>(`${line}/states`, JSON.stringify({ imageIds })).catch(() => []);
    for (const { imageId, status } of states)
      if (status !== 'unknown' && last.get(imageId) !== status) {
        last.set(imageId, status);
        handler({ imageId, status });
      }
    timer = setTimeout(() => void look(handler), 100);
  }
  return {
    async open(config) {
      line = await config.through(url);
      await post(`${url}/states`, JSON.stringify({ imageIds: [] }));
      return { name: 'my service', address: url };
    },
    async upload(files) {
      const ids = await Promise.all(files.map(({ bytes }) => post<{ id: string }>(`${url}/images`, bytes)));
      return files.map(({ name }, at) => ({ name, imageId: ids[at]!.id }));
    },
    async start(imageIds) {
      for (const id of imageIds) last.set(id, 'uploaded');
      await post(`${url}/runs`, JSON.stringify({ imageIds }));
    },
    results: (imageIds) => post(`${url}/states`, JSON.stringify({ imageIds })),
    events: (handler) => look(handler),
    close: () => Promise.resolve(clearTimeout(timer)),
  };
}
