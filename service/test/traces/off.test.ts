import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** Loads all that an API and a relay are made of, asks for traces without a collector and then with one, and says what was loaded of OpenTelemetry each time. */
const SCRIPT = `
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
  await Promise.all(['roles/api.ts', 'roles/relay.ts'].map(at));
  const { createTraces } = await at('traces/traces.ts');
  const { createMetrics } = await at('metrics.ts');
  const { loadConfig } = await at('config.ts');
  const ask = async (endpoint) => {
    const config = loadConfig({
      DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    });
    const isOff = (await createTraces(config, createMetrics('api'))) === null;
    return [isOff, ...new Set(urls.flatMap((url) => /@opentelemetry.(?!api.)[\\w-]+/.exec(url)?.[0] ?? []))];
  };
  console.log(JSON.stringify([await ask(''), await ask('http://127.0.0.1:1')]));
  process.exit(0);`;

// `@opentelemetry/api`, which does nothing by itself, is prom-client's
it('loads nothing of OpenTelemetry’s SDK without a collector, and does with one', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT]);
  const [off, on] = JSON.parse(stdout) as [unknown[], unknown[]];
  expect(off).toEqual([true]);
  expect(on).toContain('@opentelemetry/sdk-trace');
});
