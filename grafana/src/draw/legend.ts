type Labels = Readonly<Record<string, string>>;

/** All of a series, as Prometheus writes it. */
function fullName({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(', ')}}`;
}
/** A series' name: `{{label}}` filled in, nothing where it has no such label; without a format its labels, or what was asked. */
export function legendOf(format: string, labels: Labels, expr: string): string {
  if (format === '') return fullName(labels) || expr;
  return format.replaceAll(/\{\{\s*([^}]+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
}

export const LEGEND_ROW_PX = 18;
const LETTER_PX = 6.3;
/** The stroke before a name, and the room after it. */
const BESIDE_PX = 32;

export interface Legend {
  items: { name: string; color: string }[];
  rows: number;
  /** Names for which there is no room. */
  left: number;
}
/** Names in rows below a plot, as many as there is room for. A name that is too long for a row is cut by the page. */
export function legendBelow(items: readonly Legend['items'][number][], width: number, height: number): Legend {
  const most = Math.max(1, Math.floor(height / LEGEND_ROW_PX));
  const widthOf = ({ name }: { name: string }): number => Math.min(width, name.length * LETTER_PX + BESIDE_PX);
  const rowOf: number[] = [];
  let [row, used] = [1, 0];
  for (const item of items) {
    const room = widthOf(item);
    if (used > 0 && used + room > width) [row, used] = [row + 1, 0];
    used += room;
    rowOf.push(row);
  }
  if (row <= most) return { items: [...items], rows: items.length === 0 ? 0 : row, left: 0 };
  // the last row says how many more there are
  const shown = items.filter((_, index) => rowOf[index]! < most);
  return { items: shown, rows: most, left: items.length - shown.length };
}
