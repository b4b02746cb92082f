import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ABOUT, GROUPS, type Field } from './settings-words.ts';
import type { Setting } from './setting-kinds.ts';
import { SETTINGS } from './settings.ts';

export interface SettingHelp {
  name: string;
  fallback: string;
  allowed: string;
  about: string;
}

/** A default as it would be set; `–` where there is none, or where it depends on the machine. */
function fallbackText({ fallback, secret, allowed }: Setting<unknown>): string {
  if (fallback === undefined || secret === true || allowed === 'a folder') return '–';
  if (typeof fallback === 'boolean') return fallback ? 'on' : 'off';
  if (typeof fallback === 'number' || (typeof fallback === 'string' && fallback !== '')) return String(fallback);
  return '–';
}

/** All settings with their lines, grouped; whatever no group names comes last. */
export function settingsHelp(): { title: string; settings: SettingHelp[] }[] {
  const help = (field: Field): SettingHelp => {
    const setting: Setting<unknown> = SETTINGS[field];
    return { name: setting.name, fallback: fallbackText(setting), allowed: setting.allowed, about: ABOUT[field] };
  };
  const named = new Set<string>(GROUPS.flatMap(([, fields]) => fields));
  const others = (Object.keys(SETTINGS) as Field[]).filter((field) => !named.has(field));
  return [...GROUPS, ['Others', others] as const]
    .filter(([, fields]) => fields.length > 0)
    .map(([title, fields]) => ({ title, settings: fields.map(help) }));
}

/** For a terminal. */
export function settingsText(): string {
  const groups = settingsHelp();
  const width = Math.max(...groups.flatMap(({ settings }) => settings.map(({ name }) => name.length)));
  const indent = ' '.repeat(width + 4);
  return groups
    .map(({ title, settings }) =>
      [
        `${title}:`,
        ...settings.map(
          ({ name, about, fallback, allowed }) =>
            `  ${name.padEnd(width)}  ${about}\n${indent}${allowed}${fallback === '–' ? '' : `; default ${fallback}`}`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
}

/** `docs/settings.md`. */
export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const tables = settingsHelp().map(({ title, settings }) => [
    `## ${title}`,
    '',
    '| setting | default | allowed | what it does |',
    '| --- | --- | --- | --- |',
    ...settings.map(
      ({ name, fallback, allowed, about }) =>
        `| \`${name}\` | ${fallback === '–' ? '–' : `\`${fallback}\``} | ${cell(allowed)} | ${cell(about)} |`,
    ),
    '',
  ]);
  return [
    '# Settings',
    '',
    'Made from `service/src/settings.ts` by `node service/src/settings-help.ts`; not edited by hand. `npm start -- --help` prints the same.',
    '',
    'Each is an environment variable, read and checked once at the start of a process. One that is not allowed ends the start with its name,',
    'its value and what is expected. `npm start` decides role, ports, servers and folders itself. A switch takes `on` or `off`; what it is',
    'worth is measured with `npm run bench -- --without NAME` ([measuring.md](measuring.md)). Limits, compression and several API processes:',
    '[operating.md](operating.md).',
    '',
    ...tables.flat(),
  ].join('\n');
}

if (import.meta.main)
  writeFileSync(fileURLToPath(new URL('../../docs/settings.md', import.meta.url)), settingsMarkdown());
