import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BENCH_FLAGS, parseBenchOptions } from '../../src/cli/options.ts';
import { projectRoot } from '../../src/environment/paths.ts';

const scripts = Object.keys(
  (JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);

describe.each(['github-actions.yml', 'gitlab-ci.yml'])('docs/ci/%s', (name) => {
  const text = readFileSync(join(projectRoot, 'docs/ci', name), 'utf8');
  const commands = [...text.matchAll(/npm run (?:-s )?([\w:]+)(?: -- ([^\n|&;]*))?/g)];

  it('runs commands that there are, with options that they take', () => {
    expect(commands.length).toBeGreaterThanOrEqual(2);
    for (const [, command, options = ''] of commands) {
      expect(scripts).toContain(command);
      const parsed = parseBenchOptions(options.split(/\s+/).filter((word) => word !== ''));
      expect(parsed.kind).toBe('run');
    }
  });

  it('runs the negative control, keeps the artefacts and shows the summary', () => {
    expect(text).toMatch(/--client naive[^\n]* \|\| code=\$\?\n\s+test "\$code" -eq 1/);
    expect(text).toContain('bench-results/latest/summary.md');
    expect(text).toMatch(/path(s)?: \[?bench-results/);
  });
});

it('the page on verdicts has every exit code that the command has', () => {
  const page = readFileSync(join(projectRoot, 'docs/read-a-verdict.md'), 'utf8');
  for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(page).toMatch(new RegExp(`\\| +${code} \\|`));
  expect(Object.keys(BENCH_FLAGS)).toContain('repeat');
});
