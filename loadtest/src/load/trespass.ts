import { addressOf } from '#contract/client.ts';
import { createHttpClient, type HttpReply } from '../drivers/http-client.ts';
import { pause } from '../run/stop.ts';

export interface Ground {
  key: string;
  projectId: string;
  imageIds: readonly string[];
  batchId: string;
}

const textOf = ({ body }: HttpReply): string => body.toString();
const shown = (address: string, reply: HttpReply): string =>
  `${address}: ${reply.status} ${textOf(reply).slice(0, 200)}`;

/** Asks for what is another tenant's until it is stopped; what it gets but 404 and `missing` is counted, with a few examples. */
export function startTrespassing(given: {
  baseUrl: string;
  own: Pick<Ground, 'key'>;
  others: Ground;
  everyMs: number;
  signal: AbortSignal;
}) {
  const { baseUrl, own, others, everyMs, signal } = given;
  const client = createHttpClient({ baseUrl, key: own.key, connections: 1 });
  const found = { asked: 0, wrong: 0, examples: [] as string[] };
  let stopping = false;
  const wrong = (text: string) => {
    found.wrong++;
    if (found.examples.length < 5) found.examples.push(text);
  };
  const path = (id: string) => ({ path: { id } });
  const asks = (turn: number) => {
    const image = others.imageIds[turn % others.imageIds.length]!;
    return [
      addressOf('GET /api/projects/{id}', path(others.projectId)),
      addressOf('GET /api/projects/{id}/images', path(others.projectId)),
      addressOf('GET /api/images/{id}', path(image)),
      addressOf('GET /api/images/{id}/segmentation', path(image)),
      addressOf('GET /api/images/{id}/timeline', path(image)),
      addressOf('GET /api/batches/{id}', path(others.batchId)),
    ];
  };
  async function askInBulk(turn: number): Promise<void> {
    const imageIds = [0, 1, 2].map((more) => others.imageIds[(turn + more) % others.imageIds.length]!);
    const address = addressOf('POST /api/segmentation/batch/results');
    const headers = { 'content-type': 'application/json' };
    const reply = await client.request(address, { method: 'POST', headers, body: JSON.stringify({ imageIds }) });
    found.asked++;
    const { missing = [], results = {} } = JSON.parse(textOf(reply)) as { missing?: string[]; results?: object };
    if (reply.status !== 200 || missing.length !== imageIds.length || Object.keys(results).length > 0)
      wrong(shown(address, reply));
  }
  async function run(): Promise<void> {
    for (let turn = 0; !stopping && !signal.aborted; turn++) {
      const every = asks(turn);
      const address = every[turn % every.length]!;
      const reply = await client.request(address);
      found.asked++;
      if (reply.status !== 404) wrong(shown(address, reply));
      await askInBulk(turn);
      await pause(everyMs, signal);
    }
  }
  const running = run().catch((error: unknown) => {
    if (!stopping && !signal.aborted) wrong(`asking ended: ${String(error)}`);
  });
  return {
    async stop() {
      stopping = true;
      await running;
      client.close();
      return found;
    },
  };
}
