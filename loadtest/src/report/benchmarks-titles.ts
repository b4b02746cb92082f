import type { ResultFile } from '../contract.ts';
import { formatCount, imageWord } from './format.ts';
import { hasPage } from './words.ts';

/** Client and images, which may be the same for several runs. */
export function titleOf(result: ResultFile): string {
  const { images, accuracy, clientMode } = result;
  if (!hasPage(result)) return `${formatCount(images.count)} ${imageWord(images.count)}`;
  const source = images.source === 'synthetic' ? 'synthetic' : (accuracy?.dataset ?? 'real');
  return `${clientMode}, ${formatCount(images.count)} ${source}`;
}

const SERVERS = { embedded: 'embedded', testcontainers: 'in containers', external: 'external servers' } as const;

/** What tells runs of one title apart, in this order. */
const TRAITS: readonly ((result: ResultFile) => string)[] = [
  ({ environment }) => SERVERS[environment.provider],
  // A profile of a run's own lies in a folder of its own.
  ({ environment }) => `pool ${environment.inference.pool.replace(/^sim:.*\//, 'sim:')}`,
  ({ environment }) => environment.inference.provider,
  ({ environment }) => environment.inference.model,
  ({ settings = {} }) =>
    Object.entries(settings)
      .map((pair) => pair.join('='))
      .join(' ') || 'all switches on',
  ({ environment }) => environment.cpuModel.replaceAll('(R)', ''),
  ({ environment }) => `${environment.cores} cores`,
];

/** Short and distinct: `names` say what each is a run of, `titles` also its seed where a name lacks it, and a number where all is alike. */
export function titlesOf(results: readonly ResultFile[]): { names: string[]; titles: string[] } {
  const names = TRAITS.reduce<string[]>((before, trait) => {
    const traits = results.map(trait);
    const differs = before.map((name) => new Set(traits.filter((_, at) => before[at] === name)).size > 1);
    return before.map((name, at) => (differs[at] ? `${name}, ${traits[at]}` : name));
  }, results.map(titleOf));
  const seeded = names.map((name, at) => (hasPage(results[at]!) ? name : `${name}, seed ${results[at]!.seed}`));
  const titles = seeded.map((title, at) => {
    const before = seeded.slice(0, at).filter((other) => other === title).length;
    return before === 0 ? title : `${title} (${before + 1})`;
  });
  return { names, titles };
}
