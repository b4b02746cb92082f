import { readFile, readdir, readlink } from 'node:fs/promises';

/** State LISTEN of `/proc/net/tcp` (proc(5)). */
const LISTEN = '0A';

/** Listening ports by the inode of their socket, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningPorts(text: string): Map<string, number> {
  const ports = new Map<string, number>();
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state] = fields;
    const inode = fields[9];
    if (state === LISTEN && inode) ports.set(inode, Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
  }
  return ports;
}

async function portsOf(pid: number, listening: ReadonlyMap<string, number>): Promise<number[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return links.flatMap((link) => listening.get(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '') ?? []);
}

/** Whether something at this address speaks Prometheus' text format. */
async function speaks(url: string): Promise<boolean> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  return reply?.ok === true && (await reply.text().catch(() => '')).startsWith('# HELP');
}

/**
 * Where each of the processes answers `/metrics` without a key: `METRICS_PORT` is chosen by the kernel under `npm start`, so it is looked
 * up among the ports that the process listens at. A process that has none tells nothing.
 */
export async function metricsAddresses(pids: readonly number[]): Promise<Map<number, string>> {
  const texts = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')));
  const listening = new Map(texts.flatMap((text) => [...listeningPorts(text)]));
  const found = new Map<number, string>();
  for (const pid of pids) {
    for (const port of await portsOf(pid, listening)) {
      const url = `http://127.0.0.1:${port}/metrics`;
      if (found.has(pid) || !(await speaks(url))) continue;
      found.set(pid, url);
    }
  }
  return found;
}
