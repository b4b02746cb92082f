type Value = string | number | readonly Value[] | { readonly [key: string]: Value | undefined };

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
const PLAIN = /^[A-Za-z][\w:./#-]*$/;
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/i;

function scalar(value: string | number, indent: string): string {
  if (typeof value === 'number') return String(value);
  if (value.includes('\n')) {
    // the indentation is said, since the text may begin with blanks of its own
    return `|2-\n${value
      .split('\n')
      .map((line) => `${indent}${line}`.trimEnd())
      .join('\n')}`;
  }
  return PLAIN.test(value) && !WORDS.test(value) && !value.endsWith(':') ? value : JSON.stringify(value);
}

function lines(value: Value, indent: string): string {
  if (typeof value === 'string' || typeof value === 'number') return ` ${scalar(value, `${indent}`)}\n`;
  if (isList(value)) return `\n${value.map((item) => `${indent}-${nested(item, indent)}`).join('')}`;
  return `\n${fields(value, indent)}`;
}
function fields(value: { readonly [key: string]: Value | undefined }, indent: string): string {
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([key, field]) => `${indent}${key}:${lines(field!, `${indent}  `)}`)
    .join('');
}
/** An object in a list begins on the line of its dash. */
function nested(item: Value, indent: string): string {
  if (typeof item === 'object' && !isList(item)) return ` ${fields(item, `${indent}  `).trimStart()}`;
  return lines(item, `${indent}  `);
}

/** YAML of objects, lists, texts and numbers, as much of it as rule files and their tests need. */
export const toYaml = (value: { readonly [key: string]: Value | undefined }): string => fields(value, '');
