import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../cli/usage-error.ts';
import { OPTIONAL_FUNCTIONS, TARGET_FUNCTIONS, type Target } from './target.ts';
import { wordsOf } from './target-error.ts';

const LOADS_WITHIN_MS = 10_000;
const HELP = 'docs/targets.md has the interface';

/**
 * The target of an adapter's module, made and looked at, before anything is asked of it.
 * @throws UsageError (exit 2) that names the file and the function
 */
export async function loadTarget(path: string, withinMs = LOADS_WITHIN_MS): Promise<Target> {
  const adapter = `adapter ${path}`;
  const module = await importWithin(path, withinMs).catch((error: unknown) => {
    throw new UsageError(`${adapter} does not load: ${wordsOf(error)}`);
  });
  const { default: factory } = module;
  if (typeof factory !== 'function')
    throw new UsageError(
      `${adapter}: its default export is ${kindOf(factory)}, expected a function that gives the target; ${HELP}`,
    );
  let target: unknown;
  try {
    target = (factory as () => unknown)();
  } catch (error) {
    throw new UsageError(`${adapter}: its default export failed: ${wordsOf(error)}`);
  }
  if (typeof target !== 'object' || target === null || target instanceof Promise)
    throw new UsageError(
      `${adapter}: its default export gave ${target instanceof Promise ? 'a promise' : kindOf(target)}, expected an object with ${TARGET_FUNCTIONS.join(', ')}; ${HELP}`,
    );
  const found = target as Record<string, unknown>;
  const wrong = [
    ...TARGET_FUNCTIONS.filter((name) => typeof found[name] !== 'function'),
    ...OPTIONAL_FUNCTIONS.filter((name) => found[name] !== undefined && typeof found[name] !== 'function'),
  ];
  if (wrong.length > 0)
    throw new UsageError(
      `${adapter}: ${wrong.map((name) => `${name} is ${kindOf(found[name])}`).join(', ')}, expected ${wrong.length === 1 ? 'a function' : 'functions'}; ${HELP}`,
    );
  return target as Target;
}

async function importWithin(path: string, withinMs: number): Promise<Record<string, unknown>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it was not done within ${withinMs} ms`)), withinMs);
  });
  try {
    return await Promise.race([import(pathToFileURL(resolve(path)).href) as Promise<Record<string, unknown>>, late]);
  } finally {
    clearTimeout(timer);
  }
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : /^[aeiou]/.test(typeof value) ? `an ${typeof value}` : `a ${typeof value}`;
}
