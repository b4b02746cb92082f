import { widthOf } from './letters.ts';

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
/** The stroke before a name, and the room after it. */
const BESIDE_PX = 32;

export interface Legend {
  items: { name: string; color: string }[];
  rows: number;
  /** Names for which there is no room. */
  left: number;
}
export interface LegendEntry {
  name: string;
  color: string;
  /** Those with little go first where there is no room for all. */
  weight: number;
}
const rowsOf = (items: readonly { name: string }[], width: number): number => {
  let [rows, used] = [items.length === 0 ? 0 : 1, 0];
  for (const { name } of items) {
    const room = Math.min(width, widthOf(name) + BESIDE_PX);
    if (used > 0 && used + room > width) [rows, used] = [rows + 1, 0];
    used += room;
  }
  return rows;
};
/** Names in rows below a plot, as many as there is room for. A name that is too long for a row is cut by the page. */
export function legendBelow(entries: readonly LegendEntry[], width: number, height: number): Legend {
  const most = Math.max(1, Math.floor(height / LEGEND_ROW_PX));
  const plain = (shown: readonly LegendEntry[]) => shown.map(({ name, color }) => ({ name, color }));
  const all = rowsOf(entries, width);
  if (all <= most) return { items: plain(entries), rows: all, left: 0 };
  const heavy = entries.toSorted((a, b) => b.weight - a.weight);
  const rank = new Map(heavy.map((entry, index) => [entry, index]));
  // what is said of the others needs a place as well
  const more = { name: `and ${entries.length} more` };
  const shownOf = (size: number) => entries.filter((entry) => rank.get(entry)! < size);
  let [count, tooMany] = [0, entries.length];
  while (tooMany - count > 1) {
    const half = Math.floor((count + tooMany) / 2);
    if (rowsOf([...shownOf(half), more], width) > most) tooMany = half;
    else count = half;
  }
  return { items: plain(shownOf(count)), rows: most, left: entries.length - count };
}
