import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { literalWords } from './literal-words.ts';

const SRC = path.resolve(import.meta.dirname, '../src');
/** The negative control is a first version. */
const isCounted = (name: string): boolean => /\.tsx?$/.test(name) && !/^(words|naive)\//.test(name);

describe('words of the pages', () => {
  it('stand in words/, and in no component, page or model', async () => {
    const names = (await readdir(SRC, { recursive: true })).filter(isCounted);
    const found = await Promise.all(
      names.map(async (name) =>
        literalWords(name, await readFile(path.join(SRC, name), 'utf8')).map((text) => `${name}: ${text}`),
      ),
    );
    expect(names.length).toBeGreaterThan(60);
    expect(found.flat()).toEqual([]);
  });

  it.each([
    ['text', '<p>Hello there</p>', 'Hello there'],
    ['a label', '<input aria-label="name of it" />', 'name of it'],
    ['a part of our own', '<Confirm ask={`cancel ${count}?`} />', 'cancel …?'],
    ['a choice', "<b>{paused ? 'resume' : W.pause}</b>", 'resume'],
    ['a condition', "<b>{count > 0 && 'some left'}</b>", 'some left'],
    ['a sentence of a model', "const error = new Error('The line is lost')", 'The line is lost'],
    ['a sentence of one word', "show({ failure: 'Stopped.' })", 'Stopped.'],
  ])('are found in %s', (_, source, text) => {
    expect(literalWords('planted.tsx', source)).toEqual([text]);
  });

  it.each([
    '<p class="faint" data-action="take">{W.none}</p>',
    '<p>{count} · {formatCount(count)}</p>',
    "<b>{list.includes('done') && W.done}</b>",
    "api.call('GET /api/projects/{id}', given)",
    '<code>{W.command}</code>',
    "storage.getItem('Names.shown')",
  ])('are not seen in %s', (source) => {
    expect(literalWords('fine.tsx', source)).toEqual([]);
  });
});

/** Numbers and dates are written in one place, in one language. */
describe('numbers and dates', () => {
  it('are formatted by Intl in format.ts alone', async () => {
    const names = (await readdir(SRC, { recursive: true })).filter(
      (name) => isCounted(name) && name !== 'models/format.ts',
    );
    const found = await Promise.all(
      names.map(async (name) => {
        const text = await readFile(path.join(SRC, name), 'utf8');
        return [...text.matchAll(/Intl\.(NumberFormat|DateTimeFormat)|\.toLocale\w*\(|\.toFixed\(/g)].map(
          ([what]) => `${name}: ${what}`,
        );
      }),
    );
    // Coordinates of a path are no numbers for people.
    expect(found.flat()).toEqual(['models/operator/tiles.ts: .toFixed(', 'models/operator/tiles.ts: .toFixed(']);
  });
});
