import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startHelp } from '../../loadtest/src/cli/start-options.ts';
import { loadConfig } from '../src/config.ts';
import { settingsHelp, settingsMarkdown } from '../src/settings-help.ts';
import type { Setting } from '../src/setting-kinds.ts';
import { SETTINGS } from '../src/settings.ts';

const all = settingsHelp().flatMap(({ settings }) => settings);
const ADDRESSES = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };

describe('settingsHelp', () => {
  it('has each setting once, with what it does and what is allowed', () => {
    expect(all.map(({ name }) => name).sort()).toEqual(
      Object.values(SETTINGS)
        .map(({ name }) => name)
        .sort(),
    );
    for (const { name, about, allowed } of all) {
      expect(about, `${name} lacks a line in settings-words.ts`).toMatch(/\S/);
      expect(allowed).toMatch(/\S/);
    }
  });

  it('shows defaults that could be set', () => {
    const shown = Object.fromEntries(all.flatMap(({ name, fallback }) => (fallback === '–' ? [] : [[name, fallback]])));
    expect(Object.keys(shown).length).toBeGreaterThan(30);
    expect(loadConfig({ ...ADDRESSES, ...shown })).toEqual(loadConfig(ADDRESSES));
  });

  it('shows no default of a secret', () => {
    const secret = Object.values<Setting<unknown>>(SETTINGS).filter((setting) => setting.secret);
    expect(secret.length).toBeGreaterThan(2);
    for (const { name } of secret) expect(all.find((one) => one.name === name)?.fallback).toBe('–');
  });

  it('is what docs/settings.md says; `node service/src/settings-help.ts` writes it', async () => {
    const written = await readFile(new URL('../../docs/settings.md', import.meta.url), 'utf8');
    expect(written).toBe(settingsMarkdown());
  });

  it('stands in the help of npm start', () => {
    for (const { name, about, allowed } of all)
      for (const text of [name, about, allowed]) expect(startHelp()).toContain(text);
  });
});
