import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/environment/paths.ts';
import { capture } from '../../src/environment/processes.ts';
import { writeProgram } from '../program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-ci-'));
  await Promise.all(['bin', 'work'].map((name) => mkdir(join(folder, name))));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What `.ci/run` makes of an engine whose programs are these shell scripts. */
async function startWith(programs: { docker?: string; dockerd?: string }) {
  for (const [name, script] of Object.entries(programs)) await writeProgram(join(folder, 'bin'), name, script);
  // Programs of the machine but its Docker.
  const tools = ['mkdir', 'kill', 'sleep', 'tail', 'bash', 'mktemp', 'rm'];
  const links = tools.map((name) => `ln -s "$(command -v ${name})" ${join(folder, 'bin', name)}`).join('\n');
  await capture('bash', ['-c', links]);
  const script = `
    work=${folder}/work failed=
    step() { "\${@:2}" >/dev/null 2>&1 || failed=$1; }
    . .ci/engine.sh
    make_images() { engine import; }
    start_engine
    echo "missing=$docker_missing failed=$failed host=\${SEGBENCH_TEST_DOCKER_HOST:+set}"
    stop_engine`;
  const { stdout } = await capture('bash', ['-c', script], {
    cwd: projectRoot,
    env: { PATH: `${folder}/bin`, HOME: dirname(folder) },
  });
  return stdout.trim();
}

describe('the engine of .ci/run', () => {
  it('is not run where there is none', async () => {
    expect(await startWith({})).toBe('missing=no docker and dockerd: apt-get install docker.io failed= host=');
  });

  it('is not run where the machine lets none start, with its last words', async () => {
    const refused = await startWith({ docker: 'exit 1', dockerd: 'echo no; echo "mount: not permitted" >&2; exit 1' });
    expect(refused).toBe('missing=dockerd does not start here: mount: not permitted failed= host=');
  });

  it('has failed where it started and refuses what is asked', async () => {
    const refused = await startWith({ docker: '[ "$1" = version ]', dockerd: 'exec sleep 60' });
    expect(refused).toBe('missing= failed=images of the servers host=set');
  });
});
