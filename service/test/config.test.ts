import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';

const GOOD = {
  DATABASE_URL: 'postgres://a@localhost/b',
  QUEUE_REDIS_URL: 'redis://localhost:1',
  CACHE_REDIS_URL: 'redis://localhost:2',
};

describe('loadConfig', () => {
  it('has a default for everything that needs no address', () => {
    expect(loadConfig(GOOD)).toMatchObject({
      role: 'api',
      port: 8080,
      maxFileBytes: 20e6,
      rateLimits: true,
    });
  });

  it('names every bad setting with what is allowed, and shows no secret', () => {
    const bad = {
      ...GOOD,
      PORT: '70000',
      SEGBENCH_ROLE: 'boss',
      BOOTSTRAP_API_KEY: 'too-short',
      DATABASE_URL: 'mysql://u:secret@h/d',
    };
    const message = (() => {
      try {
        loadConfig(bad);
        return '';
      } catch (error) {
        return String(error);
      }
    })();
    expect(message).toContain('PORT is "70000": expected an integer from 0 to 65535');
    expect(message).toContain('SEGBENCH_ROLE is "boss": expected one of api, relay, worker');
    expect(message).toContain('BOOTSTRAP_API_KEY is (9 characters)');
    expect(message).toContain('DATABASE_URL is (20 characters)');
    expect(message).not.toContain('secret');
    expect(message).not.toContain('too-short');
  });

  it('plants violations in tests only', () => {
    expect(() => loadConfig({ ...GOOD, PLANT: 'x' })).toThrow('NODE_ENV=test');
    expect([...loadConfig({ ...GOOD, PLANT: 'x,y', NODE_ENV: 'test' }).plant]).toEqual(['x', 'y']);
  });

  it('lets processes die on demand in tests only', () => {
    expect(loadConfig(GOOD).crashPoints).toBe('');
    expect(() => loadConfig({ ...GOOD, CRASH_POINTS: '/tmp/x' })).toThrow('NODE_ENV=test');
    expect(loadConfig({ ...GOOD, CRASH_POINTS: '/tmp/x', NODE_ENV: 'test' }).crashPoints).toBe('/tmp/x');
  });
});
