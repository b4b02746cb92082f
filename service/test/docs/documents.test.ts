import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrateHelp } from '../../../loadtest/src/cli/calibrate-options.ts';
import { compareHelp, parseCompareOptions } from '../../../loadtest/src/cli/compare-options.ts';
import { doctorHelp } from '../../../loadtest/src/cli/doctor-options.ts';
import { benchHelp } from '../../../loadtest/src/cli/options.ts';
import { planHelp } from '../../../loadtest/src/cli/plan-options.ts';
import { startHelp } from '../../../loadtest/src/cli/start-options.ts';
import { workerHelp } from '../../../loadtest/src/cli/worker-options.ts';
import { projectRoot } from '../../../loadtest/src/environment/paths.ts';
import { scaleHelp } from '../../../loadtest/src/scale/options.ts';
import type { Setting } from '../../src/setting-kinds.ts';
import { SETTINGS } from '../../src/settings.ts';

const FOLDERS = ['deploy', 'docs', 'examples', 'grafana', 'loadtest', 'prometheus', 'scenarios', 'service', 'test'];
const HOME = `{${[...FOLDERS, 'dashboards', 'release'].join(',')}}`;
const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8');
const found = (pattern: string) => globSync(pattern, { cwd: projectRoot });
const is = (file: string) => existsSync(join(projectRoot, file));

const pages = [...found('*.md'), ...found(`${HOME}/**/*.md`)].map((file) => ({ file, text: read(file) }));
/** Without the record of what once was. */
const current = pages.filter(({ file }) => file !== 'CHANGELOG.md');
const sources = [
  ...found('{.env.example,Dockerfile,*.yml,*.ts}'),
  ...found(`${HOME}/**/*.{ts,tsx,mjs,json,yml,yaml,tpl,promql,cfg,conf,sh,py}`),
];
const code = sources.map(read).join('\n');

/** `file: what` for each match that is not right. */
const wrong = (pattern: RegExp, isRight: (match: RegExpExecArray, file: string) => boolean, of = current): string[] =>
  of.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].filter((match) => !isRight(match, file)).map(([what]) => `${file}: ${what}`),
  );

const withoutCode = (text: string) => text.replaceAll(/^ *```[^]*?^ *```/gm, '');
/** As GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of withoutCode(text).matchAll(/^#+ (.*)$/gm)) {
    const bare = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = bare.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
    anchors.add(anchors.has(anchor) ? `${anchor}-1` : anchor);
  }
  return anchors;
}

const routes = [...read('service/src/contract/api.gen.ts').matchAll(/'([A-Z]+) (\/[^']*)'/g)].map(
  ([, method, path]) => [method!, path!.replaceAll(/\{\w+\}/g, ':')] as const,
);
const isId = (part: string) => /^[:{$*]|^[\da-f]{8}-|^ID$/.test(part);
function isRoute([, method, path]: RegExpExecArray): boolean {
  const parts = path!.replace(/[.:]$/, '').replace(/\/$/, '').split('/');
  const same = parts.map((part) => (isId(part) ? ':' : part)).join('/');
  // `/api/metrics/*` is all of them
  const all = parts.at(-1) === '*' ? same.slice(0, -1) : undefined;
  return routes.some(
    ([verb, known]) =>
      (method === undefined || verb === method) && (known === same || (all !== undefined && known.startsWith(all))),
  );
}

const HELP: Record<string, string> = {
  bench: benchHelp(),
  calibrate: calibrateHelp(),
  compare: compareHelp() + JSON.stringify(parseCompareOptions(['accept', '--help'])),
  doctor: doctorHelp(),
  plan: planHelp(),
  scale: scaleHelp(),
  start: startHelp(),
  worker: workerHelp(),
};
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

describe('the documents', () => {
  it('lead only to what is there, by links and their anchors', () => {
    const bare = pages.map(({ file, text }) => ({ file, text: withoutCode(text) }));
    const isThere = ([, link]: RegExpExecArray, file: string): boolean => {
      const [path, anchor] = link!.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), path!));
      if (!is(target)) return false;
      if (anchor === undefined || statSync(join(projectRoot, target)).isDirectory()) return true;
      return anchorsOf(read(target)).has(anchor);
    };
    expect(wrong(/\]\((?!https?:|mailto:)([^)\s]+)\)/g, isThere, bare)).toEqual([]);
  });

  it('name only files that are there', () => {
    const path = new RegExp(`(?<![\\w./@-])(?:${FOLDERS.join('|')}|dashboards/(?:src|test))/[\\w./-]*\\w`, 'g');
    expect(wrong(path, ([name], file) => is(name) || is(join(dirname(file), name)))).toEqual([]);
    // `claim.ts`, `pool/worker.ts`: wherever it is
    const short = /`((?:[\w-]+\/)*[\w.-]+\.(?:tsx?|mjs|sh|ya?ml|py|cfg|conf|promql))`/g;
    expect(wrong(short, ([, name]) => sources.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
  });

  it('name only routes that there are', () => {
    const path = /(?:\b(GET|POST|PUT|PATCH|DELETE) )?(\/api\/[\w/:{}$.*-]+)/g;
    // one line of a table has three methods of projects at once
    const known = (match: RegExpExecArray) => isRoute(match) || match[0] === 'DELETE /api/projects';
    expect(wrong(path, known)).toEqual([]);
  });

  it('call only commands that there are, with options that they have', () => {
    expect(wrong(/npm run (?:-s )?([a-z][a-z:]*)/g, ([, name]) => scripts[name!] !== undefined)).toEqual([]);
    const call = new RegExp(
      `(?:npm (?:run )?(?:-s )?|npx segbench )(${Object.keys(HELP).join('|')})\\b([^\\n\`#|]*)`,
      'g',
    );
    const options = (words: string) => words.match(/(?<=\s)--[a-z][a-z-]+/g) ?? [];
    const known = ([, name, words]: RegExpExecArray) =>
      options(words!).every((option) => HELP[name!]!.includes(option));
    expect(wrong(call, known)).toEqual([]);
  });

  it('name only settings, metrics and budgets that the code has', () => {
    expect(wrong(/\b[A-Z][A-Z\d]*_[A-Z\d_]*[A-Z\d]\b/g, ([name]) => code.includes(name))).toEqual([]);
    const budget =
      /`(?!nodejs_)[a-z]+(?:_[a-z\d]+)*_(?:ms|ratio|bytes|calls|gaps|answers|requests|wrong|nodes|looks|cells|outlines)`/g;
    expect(wrong(budget, ([name]) => code.includes(name.slice(1, -1)))).toEqual([]);
    const metric = /\bsegbench_(?!api_service)[a-z\d_]+/g;
    expect(wrong(metric, ([name]) => code.includes(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([]);
  });

  it('say defaults of settings as they are', () => {
    const defaults = new Map(Object.values<Setting<unknown>>(SETTINGS).map(({ name, fallback }) => [name, fallback]));
    const units: Record<string, number> = { s: 1e3, days: 864e5, MB: 1e6, MiB: 2 ** 20, GiB: 2 ** 30 };
    // `LEASE_MS` (10 s), `LEASE_MS`, 10 s
    const told = /`([A-Z][A-Z_]+)`(?:, | \()(\d[\d,]*)(?: (s|days|MB|MiB|GiB))?(?=[,;:)]| in all| beside)/g;
    const isDefault = ([, name, digits, unit = '']: RegExpExecArray) =>
      !defaults.has(name!) || Number(digits!.replaceAll(',', '')) * (units[unit] ?? 1) === defaults.get(name!);
    expect(current.flatMap(({ text }) => [...text.matchAll(told)]).length).toBeGreaterThan(15);
    expect(wrong(told, isDefault)).toEqual([]);
  });

  it('say what each folder is for, and each library', () => {
    const architecture = read('docs/architecture.md');
    const folders = found('{service,loadtest}/src/*/').map((folder) => folder.replace(/\/$/, ''));
    const short = (folder: string) => folder.split('/').at(-1)!;
    const isTold = (folder: string) => [folder, short(folder)].some((name) => architecture.includes(`\`${name}/\``));
    expect(folders.length).toBeGreaterThan(30);
    expect(folders.filter((folder) => !isTold(folder))).toEqual([]);

    const libraries = read('docs/decisions/0003-libraries.md');
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      object
    >;
    const names = [dependencies, devDependencies, optionalDependencies].flatMap((list) => Object.keys(list ?? {}));
    const words = new Set(libraries.match(/@?[\w/-]+/g));
    // `@fastify/compress` is "compress" in the row of fastify
    const isNamed = (name: string) =>
      name.startsWith('@types/') || words.has(name) || words.has(name.replace(/^.*\//, ''));
    expect(names.filter((name) => !isNamed(name))).toEqual([]);
  });
});
