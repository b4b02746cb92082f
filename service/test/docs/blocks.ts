/** A command block of a page, and the block of output that is shown right after it. */
export interface Block {
  line: number;
  code: string;
  shown: { kind: 'json' | 'text'; text: string } | null;
}

interface Fence {
  kind: string;
  line: number;
  text: string;
}

function fencesOf(page: string): Fence[] {
  const fences: Fence[] = [];
  let open: { kind: string; line: number; lines: string[] } | null = null;
  page.split('\n').forEach((line, index) => {
    if (open === null && line.startsWith('```')) open = { kind: line.slice(3), line: index + 1, lines: [] };
    else if (open !== null && line === '```') {
      fences.push({ kind: open.kind, line: open.line, text: open.lines.join('\n') });
      open = null;
    } else open?.lines.push(line);
  });
  return fences;
}

/** The `sh` blocks of a page, word by word. */
export function blocksOf(page: string): Block[] {
  const fences = fencesOf(page);
  return fences.flatMap(({ kind, line, text }, index) => {
    if (kind !== 'sh') return [];
    const next = fences[index + 1];
    const shown = next?.kind === 'json' || next?.kind === 'text' ? { kind: next.kind, text: next.text } : null;
    return [{ line, code: text, shown } as Block];
  });
}

/** Of text: everything but ids, times, hashes, durations, sizes and what signs an address. */
export const patternOf = (text: string): string =>
  text
    .trim()
    .replace(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/expires=\d+&signature=[\w-]{22}/g, 'SIGNED')
    .replace(/Ms: [\d.]+/g, 'Ms: N')
    .replace(/\d+ bytes/g, 'N bytes');

/** What stays the same of JSON: fields, texts, null; of numbers only that they are some, of lists each kind of item once. */
export function shapeOf(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return patternOf(value);
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) {
    const shapes = value.map((item) => JSON.stringify(shapeOf(item)));
    return [...new Set(shapes)].map((text) => JSON.parse(text) as unknown);
  }
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, shapeOf(inner)]),
  );
}
