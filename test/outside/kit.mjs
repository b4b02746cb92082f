import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { KEY, startGround } from '../figures/ground.mjs';

export { KEY };
export const AUTH = { authorization: `Bearer ${KEY}` };

/** A real service (API process, PostgreSQL, two Redis) with one project of three images. @param {Record<string, string>} [settings] */
export async function startService(settings = {}) {
  const ground = await startGround(settings);
  const { url, pid } = ground.api;
  const call = async (path, json) => {
    const reply = await fetch(url + path, {
      method: json ? 'POST' : 'GET',
      headers: { ...AUTH, 'content-type': 'application/json' },
      ...(json && { body: JSON.stringify(json) }),
    });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return reply.json();
  };
  const project = await call('/api/projects', { name: 'outside' });
  return { ...ground, url, pid, call, project };
}

/** What a program printed, and how it ended. 127 where it is not installed. */
export async function runProgram(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      output += data;
      if (options.echo) process.stderr.write(data);
    });
  try {
    const [code, signal] = await once(child, 'close');
    return { code: code ?? signal, output };
  } catch (error) {
    return { code: 127, output: String(error.message) };
  }
}
/** Ends with 3 and a sentence that says what to install, where a program is missing. */
export async function need(command, args, install) {
  const { code, output } = await runProgram(command, args);
  if (code !== 127) return output.trim().split('\n')[0];
  console.error(`${command} is not there (${output}): ${install}`);
  process.exit(3);
}
/** Asks `/healthz` all the time; how often it was refused, and the longest wait. */
export function watchHealth(url) {
  const seen = { asked: 0, failed: 0, worstMs: 0 };
  let over = false;
  const asking = (async () => {
    while (!over) {
      const begin = performance.now();
      const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
      seen.asked++;
      if (reply?.status !== 200) seen.failed++;
      seen.worstMs = Math.max(seen.worstMs, Math.round(performance.now() - begin));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    over = true;
    await asking;
    return seen;
  };
}
