import { readFile } from 'node:fs/promises';
import { UsageError } from '../cli/usage-error.ts';

export interface ManifestRow {
  width: number | null;
  height: number | null;
  cells: number | null;
  split: string | null;
  kind: string | null;
}
/** By `id`, the file's stem. */
export type Manifest = ReadonlyMap<string, ManifestRow>;

/**
 * Reads `[{id, width?, height?, cells? | nuclei?, split?, kind?}, …]`; a missing file is an empty manifest.
 * @throws UsageError when there is a file that is no such list.
 */
export async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '[]';
    throw new UsageError(`manifest "${path}" cannot be read: ${String(error)}`);
  });
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`manifest "${path}" is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(rows))
    throw new UsageError(`manifest "${path}" is no list; allowed: [{"id": "…", "split": "…", "kind": "…"}, …]`);
  return new Map(rows.map((row: unknown, at) => rowOf(row, at, path)));
}

function rowOf(row: unknown, at: number, path: string): [string, ManifestRow] {
  const fields: Record<string, unknown> = typeof row === 'object' && row !== null ? { ...row } : {};
  const { id } = fields;
  if (typeof id !== 'string')
    throw new UsageError(`manifest "${path}": entry ${at} has no "id" (the file's name without its extension)`);
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return [
    id,
    {
      width: number(fields['width']),
      height: number(fields['height']),
      cells: number(fields['cells']) ?? number(fields['nuclei']),
      split: text(fields['split']),
      kind: text(fields['kind']),
    },
  ];
}
