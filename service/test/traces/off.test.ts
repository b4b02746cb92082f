import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Loads all that an API and a relay are made of, asks for traces, and says which packages of OpenTelemetry's SDK were loaded. */
const loaded = async (endpoint: string): Promise<string[]> => {
  const script = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({
      resolve(name, context, next) {
        const found = next(name, context);
        urls.push(found.url);
        return found;
      },
    });
    const at = (path) => import(new URL('service/src/' + path, ${JSON.stringify(new URL('../../../', import.meta.url).href)}));
    await Promise.all(['roles/api.ts', 'roles/relay.ts', 'roles/worker.ts'].map(at));
    const { createTraces } = await at('traces/traces.ts');
    const { createMetrics } = await at('metrics.ts');
    const { loadConfig } = await at('config.ts');
    const config = loadConfig({
      DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x',
      OTEL_EXPORTER_OTLP_ENDPOINT: ${JSON.stringify(endpoint)},
    });
    const traces = await createTraces(config, createMetrics('api'));
    const names = urls.flatMap((url) => /@opentelemetry.(?!api.)[\\w-]+/.exec(url)?.[0] ?? []);
    console.log(JSON.stringify([traces === null, ...new Set(names)]));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout) as string[];
};

it('loads nothing of OpenTelemetry’s SDK without a collector, and does with one', async () => {
  const [off, on] = await Promise.all([loaded(''), loaded('http://127.0.0.1:1')]);
  expect(off).toEqual([true]);
  expect(on).toContain('@opentelemetry/sdk-trace');
});
