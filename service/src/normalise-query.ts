/**
 * A query's shape: values that stand in its text become `?`, so that equal queries read alike and no one's data is shown.
 * Placeholders (`$1`) and names (`t1`, `"2nd"`) stay.
 */
export function normaliseQuery(text: string): string {
  return text
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, '?')
    .replace(/\b[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'/g, '?')
    .replace(/"(?:[^"]|"")*"|\$\d+|(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)/g, (part) =>
      /^["$]/.test(part) ? part : '?',
    )
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 500);
}
