/** Image names are settings: a mirror, another version, images made here. */
export interface ImageNames {
  postgres: string;
  redis: string;
}

/** PostgreSQL 17 or newer (collation C.UTF-8 is built in from there on), Redis 7 or what speaks like it. */
export const imageNames = (env: NodeJS.ProcessEnv): ImageNames => ({
  postgres: env['BENCH_POSTGRES_IMAGE'] || 'postgres:18',
  redis: env['BENCH_REDIS_IMAGE'] || 'redis:7-alpine',
});

/** The library's own sweeper; the name that testcontainers 12.2 asks for. */
export const ryukImage = (env: NodeJS.ProcessEnv): string =>
  env['RYUK_CONTAINER_IMAGE'] || 'testcontainers/ryuk:0.14.0';
