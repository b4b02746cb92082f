/** A row of `packages` in package-lock.json (lockfileVersion 3), as far as it is read here. */
interface LockedPackage {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** `from 'x'`, `import('x')` and `import 'x'` of packages: no relative files, no `#` names of package.json, nothing of Node's. */
const IMPORT = /\b(?:from|import)\s*\(?\s*'((?:@[\w.-]+\/)?[\w-][\w./-]*)'/g;

/** Names of the packages that a source file imports; those of Node are none. */
export function importedPackages(source: string): string[] {
  return [...source.matchAll(IMPORT)]
    .map(([, specifier = '']) => specifier)
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

/** Where Node finds `name` from inside the package at `from`: its own node_modules first, then those above. */
function resolve(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('node_modules/') - 1))) {
    const path = place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (place === '') return undefined;
  }
}

/**
 * Paths of all packages that `roots` need to run, as the lockfile lays them out. Optional ones count where `isInstalled` says so:
 * those of other platforms are locked too.
 * @throws Error naming a package that is needed and not locked, or not installed
 */
export function packagesNeeded(
  packages: LockedPackages,
  roots: readonly string[],
  isInstalled: (path: string) => boolean,
): string[] {
  const needed = new Set<string>();
  const add = (from: string, name: string, isOptional: boolean): void => {
    const path = resolve(packages, from, name);
    const here = path !== undefined && isInstalled(path);
    if (!here && isOptional) return;
    if (!here) throw new Error(`${from || 'the service'} needs ${name}, which is not installed`);
    if (needed.has(path)) return;
    needed.add(path);
    const {
      dependencies = {},
      optionalDependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = packages[path] ?? {};
    for (const one of Object.keys(dependencies)) add(path, one, one in optionalDependencies);
    for (const one of Object.keys(optionalDependencies)) add(path, one, true);
    for (const one of Object.keys(peerDependencies)) add(path, one, peerDependenciesMeta[one]?.optional === true);
  };
  for (const root of roots) add('', root, false);
  return [...needed].sort();
}

/** Nobody reads these at run time. */
const NEVER_RUN = /\.(d\.[cm]?ts|[cm]?js\.map|map|md|markdown)$/i;
/** ONNX Runtime brings its library for all platforms in one package: 290 MB, of which one folder is used. */
const NATIVE = /\/onnxruntime-node\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/;

/** Whether a file, or a folder with all below it, belongs into the image. `path` has `/` between its parts. */
export function isShipped(path: string, platform: string, arch: string): boolean {
  const [, onPlatform, onArch] = NATIVE.exec(path) ?? [];
  if (onPlatform !== undefined && (onPlatform !== platform || (onArch !== undefined && onArch !== arch))) return false;
  return !NEVER_RUN.test(path);
}
