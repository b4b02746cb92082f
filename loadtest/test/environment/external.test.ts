import { describe, expect, it } from 'vitest';
import { externalAddresses } from '../../src/environment/external.ts';

const complete = {
  X_DATABASE_URL: 'postgres://u:p@db:5432/postgres',
  X_QUEUE_REDIS_URL: 'redis://:p@one:6379',
  X_CACHE_REDIS_URL: 'redis://:p@two:6379',
};

describe('externalAddresses', () => {
  it('returns undefined when nothing is set', () => {
    expect(externalAddresses('X_', {})).toBeUndefined();
  });

  it('returns the three addresses when all are set', () => {
    expect(externalAddresses('X_', complete)).toEqual({
      databaseUrl: complete.X_DATABASE_URL,
      queueRedisUrl: complete.X_QUEUE_REDIS_URL,
      cacheRedisUrl: complete.X_CACHE_REDIS_URL,
    });
  });

  it('names what is missing when only some are set', () => {
    expect(() => externalAddresses('X_', { X_DATABASE_URL: complete.X_DATABASE_URL })).toThrow(
      'set X_QUEUE_REDIS_URL and X_CACHE_REDIS_URL too',
    );
  });

  it.each([
    ['X_DATABASE_URL', 'mysql://db', 'X_DATABASE_URL is mysql://…; expected postgres: or postgresql:'],
    ['X_QUEUE_REDIS_URL', 'localhost', 'X_QUEUE_REDIS_URL is "localhost"; expected redis: or rediss:'],
  ])('names %s and what is allowed when it is %s', (name, value, message) => {
    expect(() => externalAddresses('X_', { ...complete, [name]: value })).toThrow(message);
  });

  it('shows no password when a protocol is wrong', () => {
    const env = { ...complete, X_DATABASE_URL: 'mysql://root:hunter2@db' };
    expect(() => externalAddresses('X_', env)).toThrow(/^((?!hunter2).)*$/s);
  });

  it('refuses one Redis for both when the two addresses are equal', () => {
    const env = { ...complete, X_CACHE_REDIS_URL: complete.X_QUEUE_REDIS_URL };
    expect(() => externalAddresses('X_', env)).toThrow('noeviction');
  });
});
