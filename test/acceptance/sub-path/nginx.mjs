import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../loadtest/src/environment/ports.ts';
import { expect } from '../kit.ts';

/** Where the documentation's example puts the service. */
export const FOLDER = '/segbench';

/** nginx with the server of the documentation's own example, of which only addresses are filled in. */
export async function startNginx(folder, service, leavesFolder) {
  await mkdir(folder);
  const port = await freePort();
  const page = await readFile(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8');
  const example = /```nginx\n([\s\S]+?)```/.exec(page.slice(page.indexOf('In a folder of another site')))?.[1] ?? '';
  const target = 'proxy_pass http://127.0.0.1:8080/;';
  expect(example.includes(target), 'docs/operating.md has no example for nginx that this script knows');
  const server = example
    .replace(target, `proxy_pass ${service}${leavesFolder ? '' : '/'};`)
    .replace('server {', `server {\n  listen 127.0.0.1:${port};\n  location / { return 404; }`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const conf = [
    // As root nginx would hand the folder to somebody who may not enter it.
    userInfo().uid === 0 ? 'user root;' : '',
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;`,
    'events { worker_connections 512; }',
    `http {\n  log_format plain '$status $request_method $request_uri $http_referer';\n  access_log ${folder}/access.log plain;`,
    ...temporary.map((name) => `  ${name}_temp_path ${folder}/tmp-${name};`),
    server,
    '}',
  ];
  await writeFile(join(folder, 'nginx.conf'), conf.join('\n'));
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let round = 0; ; round++) {
    if (await fetch(`${url}${FOLDER}/healthz`).catch(() => null)) break;
    expect(round < 100 && child.exitCode === null, `nginx does not answer: ${folder}/error.log`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    /** Of every request so far, as nginx saw it. */
    async requests() {
      const lines = (await readFile(join(folder, 'access.log'), 'utf8')).trim().split('\n');
      return lines
        .map((line) => line.split(' '))
        .map(([status, method, path, from]) => ({ status, method, path, from }));
    },
    async stop() {
      child.kill('SIGQUIT');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
