import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EnvironmentError } from './errors.ts';
import { cacheDir } from './paths.ts';
import { capture } from './processes.ts';

const PACKAGE = '@sparticuz/chromium';

export interface UnpackOptions {
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * The headless Chromium inside an npm package, unpacked once below the cache folder, one folder a version: the package
 * takes any `$TMPDIR/chromium` for its own, whatever its version. Returns that folder.
 */
export async function unpackedChromium({ env, log, signal }: UnpackOptions): Promise<string> {
  const main = createRequire(import.meta.url).resolve(PACKAGE);
  const manifest = join(dirname(main), '../package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const cache = cacheDir(env);
  const place = join(cache, `chromium-${version}`);
  if (await stat(join(place, 'chromium')).catch(() => undefined)) {
    await pointFontsAt(place);
    return place;
  }
  log('unpacking the browser from its npm package (once)');
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'chromium-new-'));
  try {
    // In a process of its own: the package reads TMPDIR, and it changes LD_LIBRARY_PATH of who imports it. The variable
    // makes it unpack the libraries that slim machines lack (NSS and friends).
    const script = `import chromium from ${JSON.stringify(PACKAGE)}; await chromium.executablePath();`;
    const done = await capture(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      env: { ...env, TMPDIR: work, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
      signal,
    });
    if (done.code !== 0) throw new EnvironmentError(`${PACKAGE} cannot be unpacked in ${work}: ${done.stderr.trim()}`);
    // Two starts at once: the second rename fails, and the first one's folder serves both.
    await rename(work, place).catch(() => {});
    await pointFontsAt(place);
    return place;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The package's fonts.conf names /tmp/fonts, wherever it was unpacked: text would be drawn without a single glyph. */
async function pointFontsAt(place: string): Promise<void> {
  const path = join(place, 'fonts', 'fonts.conf');
  const folders = [join(place, 'fonts'), '/usr/share/fonts', '/usr/local/share/fonts'].map(
    (dir) => `<dir>${dir}</dir>`,
  );
  const cache = `<cachedir>${join(place, 'fonts-cache')}</cachedir>`;
  const text = `<?xml version="1.0"?>\n<fontconfig>${folders.join('')}${cache}</fontconfig>\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  await mkdir(join(place, 'fonts'), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
