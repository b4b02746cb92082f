import { execFileSync, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWholeService, type WholeService } from '../support/whole-service.ts';
import { blocksOf, patternOf, shapeOf } from './blocks.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** No id, so that no output contains it by chance. */
const MARK = '@@block';
const KEY = 'tour-key-tour-key-tour-key-tour-key-tour';

const page = await readFile(join(ROOT, 'docs/tour.md'), 'utf8');
const blocks = blocksOf(page);

/** `--json` came with 7.82. */
function hasCurl(): boolean {
  try {
    const [, major, minor] = /^curl (\d+)\.(\d+)/.exec(execFileSync('curl', ['--version'], { encoding: 'utf8' }))!;
    return Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 82);
  } catch {
    return false;
  }
}

interface Ran {
  output: string;
  code: number;
}

/** All blocks in one shell, which ends at the first command that fails; what each printed, and how it ended. */
async function runAll(env: Record<string, string>): Promise<{ ran: Ran[]; errors: string }> {
  const script = blocks.map(({ code }) => `${code}\nprintf '\\n${MARK} 0\\n'\n`).join('');
  const shell = spawn(
    'bash',
    ['-euo', 'pipefail', '-c', `trap 'code=$?; printf "\\n${MARK} $code\\n"' ERR\n${script}`],
    {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  let errors = '';
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  shell.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await new Promise((resolve) => shell.on('close', resolve));
  const ran: Ran[] = [];
  let from = 0;
  for (const match of output.matchAll(new RegExp(`\n${MARK} (\\d+)\n`, 'g'))) {
    ran.push({ output: output.slice(from, match.index), code: Number(match[1]) });
    from = match.index + match[0].length;
  }
  return { ran, errors };
}

it('shows commands for every part of the interface', () => {
  expect(blocks.length).toBeGreaterThan(20);
  const code = blocks.map((block) => block.code).join('\n');
  for (const path of [
    'images',
    'batches',
    'failures',
    'retry',
    'events',
    'results',
    'segmentation',
    'timeline',
    'file',
    'render',
    'overlay',
  ])
    expect(code).toContain(`/${path}`);
  for (const path of ['exports', 'download', 'keys', 'session', 'audit', 'metrics', 'queue'])
    expect(code).toContain(`/${path}`);
});

describe.skipIf(!hasCurl())('the commands of the tour (curl 7.82 or newer)', () => {
  let service: WholeService | undefined;
  let ran: Ran[];
  let errors: string;

  beforeAll(async () => {
    service = await startWholeService({ BOOTSTRAP_API_KEY: KEY });
    ({ ran, errors } = await runAll({ API: service.url, KEY, TMPDIR: service.folder }));
  });
  afterAll(() => service?.close());

  it.each(blocks.map((block, index) => ({ ...block, index })))(
    'line $line does what it says',
    ({ index, code, shown }) => {
      const { output, code: exit } = ran[index] ?? { output: 'not reached', code: -1 };
      expect({ code, output, errors, exit }).toMatchObject({ exit: 0 });
      const isJson = shown?.kind === 'json';
      const seen = isJson ? shapeOf(JSON.parse(output)) : patternOf(output);
      const expected = isJson ? shapeOf(JSON.parse(shown.text)) : patternOf(shown?.text ?? '');
      expect(seen).toEqual(expected);
    },
  );
});
