import { expect, it } from 'vitest';
import { toYaml } from '../src/yaml.ts';

it('quotes what would be read as something else, and keeps lines with their blanks', () => {
  const text = toYaml({
    plain: 'a_name:b/c.md#d',
    number: 5,
    words: ['on', '5m', 'a: b', '', '- x', 'ends:'],
    rules: [{ expr: '  first\nand\n  second', labels: { a: 'b' } }],
  });
  expect(text).toBe(
    [
      'plain: a_name:b/c.md#d',
      'number: 5',
      'words:',
      '  - "on"',
      '  - "5m"',
      '  - "a: b"',
      '  - ""',
      '  - "- x"',
      '  - "ends:"',
      'rules:',
      '  - expr: |2-',
      '        first',
      '      and',
      '        second',
      '    labels:',
      '      a: b',
      '',
    ].join('\n'),
  );
});
