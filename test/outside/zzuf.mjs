// Files that zzuf has flipped bits in, uploaded to a real service: node test/outside/zzuf.mjs [--count 600] [--seed 1]
// Exit 1 when one is not accepted or refused with a documented code, or harms its neighbours; 3 when zzuf is not installed.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { hostileBases } from '../../loadtest/src/images/hostile/bases.ts';
import { REJECTION_CODES } from '../../service/src/contract/images.ts';
import { AUTH, need, startService, watchHealth } from './kit.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
await need('zzuf', ['--version'], 'apt-get install zzuf');
const bases = await hostileBases();
const RATIOS = ['0.0002', '0.001', '0.004', '0.02'];
const service = await startService();
const tally = {};
const wrong = [];
try {
  const stop = watchHealth(service.url);
  for (let at = 0; at < count; at += 20) {
    const body = new FormData();
    const size = Math.min(20, count - at);
    for (let i = at; i < at + size; i++) {
      const base = bases[i % bases.length];
      // The first 12 bytes stay: what is not taken for a picture tries nothing.
      const bytes = execFileSync(
        'zzuf',
        ['-s', String(seed * 100_000 + i), '-r', RATIOS[i % RATIOS.length], '-b', '12-'],
        {
          input: base.bytes,
        },
      );
      body.append('files', new Blob([bytes]), `${i}.png`);
    }
    body.append('files', new Blob([bases[at % 8].bytes]), 'sound.png');
    const reply = await fetch(`${service.url}/api/projects/${service.project.id}/images`, {
      method: 'POST',
      headers: AUTH,
      body,
    });
    const { images = [], rejected = [] } = await reply.json();
    if (reply.status !== 201 || images.length + rejected.length !== size + 1) wrong.push(`${at}: ${reply.status}`);
    if (!images.some(({ name }) => name === 'sound.png')) wrong.push(`${at}: the sound one was refused`);
    tally.accepted = (tally.accepted ?? 0) + images.length - 1;
    for (const { code, name } of rejected) {
      tally[code] = (tally[code] ?? 0) + 1;
      if (!REJECTION_CODES.includes(code)) wrong.push(`${name}: ${code}`);
    }
  }
  const health = await stop();
  console.log(JSON.stringify({ seed, count, tally, others: health, wrong }));
  if (health.failed > 0 || wrong.length > 0) process.exitCode = 1;
} finally {
  await service.stop();
}
