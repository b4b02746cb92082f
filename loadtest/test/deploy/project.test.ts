import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openProject } from '../../src/scale/compose.ts';
import { writeProgram } from '../program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-project-'));
  await mkdir(join(folder, 'bin'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const PATH = () => `${join(folder, 'bin')}:/usr/bin:/bin`;
const open = (env: Record<string, string>) =>
  openProject({ directory: folder, env, signal: new AbortController().signal, log: () => {} });
const program = (name: string, script: string) =>
  writeProgram(join(folder, 'bin'), name, `printf '%s %s\\n' ${name} "$*" >>"${folder}/calls"\n${script}`);
const calls = async () => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');

const API = {
  Id: 'abc',
  Name: '/segbench-api-1',
  Image: 'sha256:1',
  Config: { Labels: { 'com.docker.compose.service': 'api', 'com.docker.compose.container-number': '1' } },
  HostConfig: { Memory: 2 ** 30 },
  State: { Status: 'running', ExitCode: 0, Health: { Status: 'healthy' } },
};

describe('openProject', () => {
  it('says what to do where there is no .env, and where there is no docker', async () => {
    await expect(open({ PATH: PATH() })).rejects.toThrow('copy .env.example to it');
    await expect(open({ POSTGRES_PASSWORD: 'x', PATH: '/nowhere' })).rejects.toThrow(
      /no docker on PATH: install Docker .*apt-get install/,
    );
  });

  it('says what compose said of a bad file', async () => {
    await program('docker', 'exit 1');
    await program('docker-compose', 'echo "services.api has no image" >&2; exit 15');
    await expect(open({ POSTGRES_PASSWORD: 'x', PATH: PATH() })).rejects.toThrow(
      'docker-compose config -q failed with code 15:\nservices.api has no image',
    );
  });

  it('leaves containers that are there as they are when it scales, and gives one that goes its time', async () => {
    await program('docker', `case "$*" in inspect*) echo '${JSON.stringify([API])}' ;; *ps*) echo abc ;; esac`);
    const project = await open({ POSTGRES_PASSWORD: 'x', PATH: PATH() });
    await project.scale('api', 1);
    const [one] = await project.running('api');
    expect(one).toMatchObject({ name: 'segbench-api-1', number: 1, memoryLimitBytes: 2 ** 30, health: 'healthy' });
    await project.remove(one!);
    expect((await calls()).filter((line) => !/ (ps|inspect|config|compose version)\b/.test(line))).toEqual([
      'docker compose up -d --no-deps --no-recreate --scale api=1 api',
      'docker stop -t 20 abc',
      'docker rm -f abc',
    ]);
  });
});
