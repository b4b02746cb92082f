import { oneLine } from './escape.ts';

/** A GitHub table; first column left, the rest right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [line(head), `| ${head.map((_, at) => (at === 0 ? '---' : '---:')).join(' | ')} |`, ...rows.map(line)];
}

function escapeCell(text: string): string {
  return escapeMarkdown(text).replaceAll('|', '\\|');
}

/** Leaves `< 50 ms` readable: only what could open a tag is escaped. */
export function escapeMarkdown(text: string): string {
  return oneLine(text).replaceAll(/<(?=[a-z/!?])/gi, '&lt;');
}
