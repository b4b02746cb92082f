import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../cli/usage-error.ts';
import { MIME_BY_EXTENSION, mimeOf, sha256OfSet } from './image-set.ts';
import type { ImageSet, SourceImage } from './image-set.ts';
import { readManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

export interface DirectoryOptions {
  directory: string;
  split?: string | undefined;
  kind?: string | undefined;
  /** Takes the first N by name. */
  count?: number | undefined;
}

/**
 * Lists the images of a folder and its sub-folders in order of their names; hashes them, decodes none (a corrupt file is for the service to refuse).
 * Labels are `DIR/../labels/<stem>.png`, split and kind come from `DIR/../manifest.json` (`id` = stem).
 * @throws UsageError for a missing folder, no image at all, or a split or kind that the manifest does not have.
 */
export async function readDirectory(options: DirectoryOptions): Promise<ImageSet> {
  const root = resolve(options.directory);
  const found = await listFiles(root, options.directory);
  const names = found.filter((name) => mimeOf(name) !== undefined);
  const ignored = found
    .filter((name) => mimeOf(name) === undefined)
    .map((name) => ({ name, reason: `not one of ${Object.keys(MIME_BY_EXTENSION).join(', ')}` }));
  if (names.length === 0) {
    throw new UsageError(
      `--images "${options.directory}" holds no image among ${found.length} files; allowed: PNG, JPEG, TIFF, WebP`,
    );
  }
  const manifest = await readManifest(join(dirname(root), 'manifest.json'));
  const chosen = select(names, manifest, options).slice(0, options.count);
  const images: SourceImage[] = [];
  const unreadable: ImageSet['unreadable'] = [];
  for (const name of chosen) {
    try {
      images.push(await describe(root, name, manifest));
    } catch (error) {
      // A broken link, a foreign owner's file, a name that is no UTF-8: its neighbours are measured all the same.
      unreadable.push({ name, code: 'UNREADABLE', message: error instanceof Error ? error.message : String(error) });
    }
  }
  return {
    source: 'directory',
    dataset: datasetName(root),
    split: options.split ?? null,
    images,
    bytes: images.reduce((sum, image) => sum + image.sizeBytes, 0),
    sha256OfSet: sha256OfSet(images),
    ignored,
    unreadable,
  };
}

function select(names: readonly string[], manifest: Manifest, options: DirectoryOptions): string[] {
  let chosen = [...names];
  for (const field of ['split', 'kind'] as const) {
    const wanted = options[field];
    if (wanted === undefined) continue;
    const values = [
      ...new Set([...manifest.values()].map((row) => row[field]).filter((value) => value !== null)),
    ].toSorted();
    if (!values.includes(wanted)) {
      const allowed =
        values.length > 0 ? values.join(', ') : `none, since ${options.directory}/../manifest.json names no ${field}`;
      throw new UsageError(`--${field} "${wanted}" is not in the manifest; allowed: ${allowed}`);
    }
    chosen = chosen.filter((name) => manifest.get(stemOf(name))?.[field] === wanted);
  }
  if (chosen.length === 0) {
    throw new UsageError(
      `--split "${options.split ?? ''}" with --kind "${options.kind ?? ''}" leaves no image of ${names.length} in "${options.directory}"`,
    );
  }
  return chosen;
}

async function describe(root: string, name: string, manifest: Manifest): Promise<SourceImage> {
  const path = join(root, name);
  const stem = stemOf(name);
  const row = manifest.get(stem);
  const labelsPath = join(dirname(root), 'labels', `${stem}.png`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return {
    name,
    path,
    sizeBytes: (await stat(path)).size,
    sha256: hash.digest('hex'),
    mimeType: mimeOf(name) ?? 'application/octet-stream',
    width: row?.width ?? null,
    height: row?.height ?? null,
    cells: row?.cells ?? null,
    labelsPath: existsSync(labelsPath) ? labelsPath : null,
  };
}

async function listFiles(root: string, given: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink());
    return files.map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/')).toSorted();
  } catch (error) {
    throw new UsageError(
      `--images "${given}" cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function stemOf(name: string): string {
  return basename(name, extname(name));
}

/** `…/nuclei/images` is the data set "nuclei". */
function datasetName(root: string): string {
  const own = basename(root);
  return own === 'images' ? basename(dirname(root)) || own : own;
}
