import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BENCH_FLAGS, parseBenchOptions } from '../../src/cli/options.ts';
import { projectRoot } from '../../src/environment/paths.ts';
import { writeProgram } from '../program.ts';
import { OURSELVES, startCommentsServer } from './comments-server.ts';

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Job {
  script: string[];
  after_script: string[];
  artifacts: { when: string; paths: string[]; reports?: { junit: string } };
  allow_failure?: { exit_codes: number[] };
  extends?: string;
}
const read = (name: string): unknown => parse(readFileSync(join(projectRoot, 'docs/ci', name), 'utf8'));
const github = read('github-actions.yml') as {
  permissions: Record<string, string>;
  jobs: { bench: { steps: Step[] } };
};
const gitlab = read('gitlab-ci.yml') as Record<'bench' | 'negative control', Job>;
const { steps } = github.jobs.bench;
const stepNamed = (name: string): Step => steps.find((step) => step.name === name) as Step;
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);

const GITHUB = {
  main: stepNamed('bench').run ?? '',
  control: stepNamed('negative control').run ?? '',
  comment: stepNamed('comment').run ?? '',
};
const GITLAB = {
  main: gitlab.bench.script.join('\n'),
  control: gitlab['negative control'].script.join('\n'),
  comment: gitlab.bench.after_script.join('\n'),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-ci-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** As the runners do: bash that ends at the first failure, in a folder that has our `docs/ci`. */
function runScript(script: string, env: Record<string, string> = {}): Promise<{ code: number | null; said: string }> {
  const path = `${folder}:${dirname(process.execPath)}:${process.env['PATH']}`;
  const child = spawn('bash', ['--norc', '-e', '-o', 'pipefail', '-c', script], {
    cwd: folder,
    env: { PATH: path, ...env },
    // bash takes a pipe for a remote shell's, and reads its settings
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
}

describe.each([
  ['github-actions.yml', GITHUB],
  ['gitlab-ci.yml', GITLAB],
])('docs/ci/%s', (_, { main, control }) => {
  it('runs commands that there are, with options that they take', () => {
    const commands = [...`${main}\n${control}`.matchAll(/npm run (?:-s )?([\w:]+)(?: -- ([^\n|&;]*))?/g)];
    expect(commands).toHaveLength(2);
    for (const [, command, options = ''] of commands) {
      expect(scripts).toContain(command);
      const parsed = parseBenchOptions(options.split(/\s+/).filter((word) => word !== ''));
      expect(parsed.kind).toBe('run');
    }
  });

  it.each([
    [1, 0],
    [0, 1],
    [3, 1],
    [5, 1],
  ])('a negative control that ends with %i makes a step that ends with %i', async (ended, code) => {
    await writeProgram(folder, 'npm', `exit ${ended}`);
    expect(control).toContain('--client naive');
    expect((await runScript(control)).code).toBe(code);
  });
});

it('GitHub: the comment needs its permission and follows a red bench too, and the results are kept', () => {
  expect(github.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
  expect(steps.map(({ name, uses }) => name ?? uses?.split('@')[0])).toEqual([
    'actions/checkout',
    'actions/setup-node',
    'actions/cache',
    'bench',
    'negative control',
    'comment',
    'keep',
  ]);
  expect(stepNamed('comment').if).toContain('!cancelled()');
  expect(stepNamed('keep')).toMatchObject({ if: '${{ !cancelled() }}', with: { path: 'bench-results' } });
});

it('GitLab: budgets are tests, exit 5 is a warning, and the results are kept of a red job too', () => {
  expect(gitlab.bench).toMatchObject({
    allow_failure: { exit_codes: [5] },
    artifacts: { when: 'always', paths: ['bench-results'], reports: { junit: 'bench-results/*/junit.xml' } },
  });
  expect(gitlab['negative control']).toMatchObject({
    extends: 'bench',
    after_script: [],
    artifacts: { when: 'always', paths: ['bench-results'] },
  });
});

describe.each([
  [
    'GitHub',
    GITHUB.comment,
    (url: string) => {
      const values: Record<string, string> = { 'github.token': 'secret', 'github.event.pull_request.number': '12' };
      const named = Object.entries(stepNamed('comment').env ?? {}).map(
        ([name, value]) => [name, value.replace(/\$\{\{ (.*) \}\}/, (_, key: string) => values[key] ?? '')] as const,
      );
      return { ...Object.fromEntries(named), GITHUB_ACTIONS: 'true', GITHUB_API_URL: url, GITHUB_REPOSITORY: 'o/r' };
    },
  ],
  [
    'GitLab',
    GITLAB.comment,
    (url: string) => ({
      BENCH_TOKEN: 'secret',
      CI_API_V4_URL: url,
      CI_PROJECT_ID: '34',
      CI_MERGE_REQUEST_IID: '12',
    }),
  ],
])('the comment on %s', (name, script, settingsOf) => {
  let server: Awaited<ReturnType<typeof startCommentsServer>>;
  beforeEach(async () => {
    server = await startCommentsServer('secret');
    await mkdir(join(folder, 'docs/ci'), { recursive: true });
    await writeFile(join(folder, 'docs/ci/comment.mjs'), readFileSync(join(projectRoot, 'docs/ci/comment.mjs')));
  });
  afterEach(() => server.stop());
  const run = async (summary: string, env: Record<string, string> = settingsOf(server.url)) => {
    await mkdir(join(folder, 'bench-results/latest'), { recursive: true });
    await writeFile(join(folder, 'bench-results/latest/summary.md'), summary);
    return await runScript(script, env);
  };

  it('is one, kept up to date, among many others that are left alone', async () => {
    const [mark = ''] = /<!-- .* -->/.exec(readFileSync(join(projectRoot, 'docs/ci/comment.mjs'), 'utf8')) ?? [];
    const [first, second] = ['## first', '## second\nit’s "quoted" & $HOME `code`'];
    for (let at = 0; at < 150; at++) server.add(`comment ${at}`, { login: 'somebody', id: 1 });
    server.add(`${mark}\nof somebody who copied it`, { login: 'somebody', id: 1 });
    server.add(`of another job of ours, which quotes ${mark}`, OURSELVES);
    const others = structuredClone(server.comments);
    expect(await run(first)).toEqual({ code: 0, said: '' });
    const ours = { ...server.comments.at(-1)!, body: `${mark}\n${first}` };
    expect(server.comments).toEqual([...others, ours]);
    expect(await run(second)).toEqual({ code: 0, said: '' });
    expect(server.comments).toEqual([...others, { ...ours, body: `${mark}\n${second}` }]);
  });

  it('that is refused is told with the status, without the token', async () => {
    const env = settingsOf(server.url);
    const { code, said } = await run(
      '## text',
      JSON.parse(JSON.stringify(env).replaceAll('secret', 'hunter2')) as typeof env,
    );
    expect(code).not.toBe(0);
    expect(said).toContain('401');
    expect(said).not.toContain('hunter2');
  });

  it.runIf(name === 'GitLab')(
    'is not tried without a token, outside a merge request, or without a summary',
    async () => {
      for (const missing of ['BENCH_TOKEN', 'CI_MERGE_REQUEST_IID'])
        expect(await run('## text', { ...settingsOf(server.url), [missing]: '' })).toEqual({ code: 0, said: '' });
      await rm(join(folder, 'bench-results'), { recursive: true });
      expect(await runScript(script, settingsOf(server.url))).toEqual({ code: 0, said: '' });
      expect(server.asked).toEqual([]);
    },
  );
});

it('the page on verdicts has every exit code that the command has', () => {
  const page = readFileSync(join(projectRoot, 'docs/read-a-verdict.md'), 'utf8');
  for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(page).toMatch(new RegExp(`\\| +${code} \\|`));
  expect(Object.keys(BENCH_FLAGS)).toContain('repeat');
});
