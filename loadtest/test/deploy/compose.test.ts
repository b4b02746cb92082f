import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS } from '../../../service/src/settings.ts';
import { onPath } from '../../src/environment/processes.ts';
import { projectRoot } from '../../src/environment/paths.ts';
import { MOST_APIS } from '../../src/scale/options.ts';

interface Service {
  image: string;
  user: string;
  command?: string;
  environment?: Record<string, string>;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  mem_limit: string;
  networks: string[];
  ports?: string[];
  healthcheck?: { disable?: boolean };
  restart: string;
  stop_grace_period?: string;
}
const read = (name: string) => readFileSync(join(projectRoot, name), 'utf8');
const text = read('docker-compose.yml');
const { services, networks } = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
};
const all = Object.entries(services);
const named = (name: string): Service => services[name]!;
const example = read('.env.example');

describe('docker-compose.yml', () => {
  it('has every part of the system', () => {
    expect(Object.keys(services).sort()).toEqual(
      ['api', 'cache', 'grafana', 'haproxy', 'migrate', 'postgres', 'prometheus', 'queue', 'relay', 'worker'].sort(),
    );
  });

  it.each(all)('%s cannot write to its root, is not root, may do nothing special, and has a limit', (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.user).toMatch(/^[1-9]\d*:\d+$/);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
  });

  it('gives the service 1 GB and its worker 2 GB, with a heap that leaves room for what is not heap', () => {
    const limit = (name: string) => named(name).mem_limit;
    expect([limit('api'), limit('relay'), limit('worker')]).toEqual(['1g', '1g', '2g']);
    for (const [name, bytes] of [
      ['api', 2 ** 30],
      ['relay', 2 ** 30],
      ['worker', 2 ** 31],
    ] as const) {
      const heap =
        Number(/^--max-old-space-size=(\d+)$/.exec(named(name).environment!['NODE_OPTIONS']!)?.[1]) * 2 ** 20;
      expect(heap).toBeGreaterThanOrEqual(bytes / 8);
      expect(heap).toBeLessThanOrEqual(bytes * 0.7);
    }
    const worker = named('worker').environment!;
    expect(2 * Number(worker['WORKER_MEMORY_BYTES'])).toBeLessThan(2 ** 31);
  });

  it('loses no job and remembers no more of the cache than 256 MB', () => {
    const words = (name: string) => named(name).command;
    expect(words('queue')).toMatch(/--appendonly yes .*--maxmemory-policy noeviction$/);
    expect(words('cache')).toMatch(/--maxmemory 256mb --maxmemory-policy allkeys-lru$/);
  });

  it('has no secret: each comes from .env, and nothing starts without it', () => {
    const secrets = ['POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'BOOTSTRAP_API_KEY', 'GRAFANA_PASSWORD'];
    for (const name of secrets) {
      expect(text).toContain(`\${${name}:?`);
      expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
    }
    const given = all.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const secret = given.filter(([name]) => /PASSWORD|KEY|TOKEN|SECRET|AUTH|DATABASE_URL|REDIS_URL/.test(name));
    expect(secret.length).toBeGreaterThan(10);
    expect(secret.filter(([, value]) => !/\$\{\w+/.test(value))).toEqual([]);
  });

  it('explains each variable in .env.example, with the value that it has without', () => {
    const lines = new Map(
      example.split('\n').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
    );
    const variables = [...text.matchAll(/\$\{(\w+)(?::-([^}]*))?/g)].filter(([, name]) => name !== 'LOG_LEVEL');
    const wrong = variables.filter(([, name, fallback]) => (fallback ?? lines.get(name)) !== lines.get(name));
    expect(wrong.map(([, name]) => name)).toEqual([]);
    expect(variables.filter(([, name]) => !lines.has(name)).map(([, name]) => name)).toEqual([]);
  });

  it('publishes nothing but to this host, and servers not at all', () => {
    for (const [, { ports = [] }] of all)
      for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{SEGBENCH_ADDRESS:-127\.0\.0\.1\}):/);
    expect(networks['inside']?.internal).toBe(true);
    for (const name of ['postgres', 'queue', 'cache', 'migrate', 'api'])
      expect(named(name).networks).toEqual(['inside']);
  });

  it('watches each part that goes on, by its image where the file says nothing', () => {
    const unwatched = all.filter(([, { healthcheck, image }]) => !healthcheck && !image.includes('SEGBENCH_IMAGE'));
    expect(unwatched).toEqual([]);
    expect(all.filter(([, { healthcheck }]) => healthcheck?.disable).map(([name]) => name)).toEqual(['migrate']);
    expect(read('Dockerfile')).toMatch(/^HEALTHCHECK .*healthcheck\.mjs/m);
  });

  it('gives settings that there are, and each role the time that it takes to end', () => {
    const known = new Set<string>([...Object.values(SETTINGS).map(({ name }) => name), 'NODE_OPTIONS']);
    for (const name of ['migrate', 'api', 'relay', 'worker']) {
      const { environment = {}, stop_grace_period: grace = '' } = named(name);
      expect(Object.keys(environment).filter((key) => !known.has(key))).toEqual([]);
      expect(Number.parseInt(grace, 10)).toBeGreaterThan(12);
    }
    const inImage = /^ENV (.*)$/m
      .exec(read('Dockerfile'))![1]!
      .split(' ')
      .map((pair) => pair.split('=')[0]!);
    expect(inImage.filter((key) => !known.has(key))).toEqual([]);
  });

  const compose = [['docker', 'compose'], ['docker-compose']].find(
    ([program = '', ...args]) =>
      onPath(program, process.env) && spawnSync(program, [...args, 'version'], { stdio: 'ignore' }).status === 0,
  );
  it.skipIf(!compose)('is what compose takes, and refuses to start without its secrets', () => {
    const [program = '', ...args] = compose ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'segbench-compose-'));
    try {
      const check = (env: string) => {
        writeFileSync(join(folder, 'env'), env);
        const files = ['--env-file', join(folder, 'env'), '-f', join(projectRoot, 'docker-compose.yml')];
        return spawnSync(program, [...args, ...files, 'config', '-q'], { encoding: 'utf8', cwd: projectRoot });
      };
      const filled = example.replaceAll(/^(\w+)=$/gm, '$1=0123456789abcdef0123456789abcdef');
      expect(check(filled)).toMatchObject({ status: 0, stderr: '' });
      const without = check(filled.replace(/^REDIS_PASSWORD=.*$/m, ''));
      expect(without.status).not.toBe(0);
      expect(without.stderr).toContain('REDIS_PASSWORD');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('deploy/haproxy.cfg', () => {
  const config = read('deploy/haproxy.cfg');
  const haproxy = onPath('haproxy', { PATH: `${process.env['PATH']}:/usr/sbin` });

  it('gives to the least busy replica that is ready, and nothing to one that ends', () => {
    expect(config).toContain('balance leastconn');
    expect(config).toMatch(/http-check send meth GET uri \/readyz/);
    const [, inter, fast, fall] = /check inter (\d+)ms fastinter (\d+)ms .*fall (\d+)/.exec(config)!.map(Number);
    const noticedMs = inter! + (fall! - 1) * fast!;
    expect(noticedMs).toBeLessThan(Number(named('api').environment!['DRAIN_MS']) / 2);
    expect(config).toContain(`server-template api- ${MOST_APIS} api:8080`);
    // without it, /stats;csv has no addresses, and status no server
    expect(config).toContain('stats show-legends');
  });

  it('believes no client what its address is', () => {
    expect(config).toContain('http-request set-header X-Forwarded-For %[src]');
    expect(config).not.toMatch(/^\s*option forwardfor/m);
  });

  it.skipIf(!haproxy)('is what HAProxy takes without a warning', () => {
    const { status, stdout, stderr } = spawnSync(
      haproxy!,
      ['-c', '-q', '-f', join(projectRoot, 'deploy/haproxy.cfg')],
      { encoding: 'utf8' },
    );
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });
});
