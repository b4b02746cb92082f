// What downloads cost a real API process: resident memory with 100 readers, and CPU a GiB against a bare createReadStream().pipe()
// with chunks of the same size, both in turn in the same run. Prints a table, and ends with 1 when a limit is passed; less than a minute.
//
//   node test/figures/downloads.mjs            (Node 24, Linux)
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { startEnvironment } from '../../loadtest/src/environment/index.ts';
import { readProcess } from '../../loadtest/src/measure/proc.ts';
import { migrate } from '../../service/src/database/migrate.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const CHUNK_BYTES = 256 * 1024;
const READER_BYTES = 64 * MIB;
const READERS = 100;
const FILES_MIB = [64, 512];
const PAIRS = 5;
const PAIR_READERS = 8;
const GROWTH_LIMIT_BYTES = 64e6;
const RATIO_LIMIT = 1.5;
const KEY = 'figures-key-figures-key-figures-key-0001';
const SELF = fileURLToPath(import.meta.url);
const MAIN = fileURLToPath(new URL('../../service/src/main.ts', import.meta.url));

/** The other side of the comparison: ranges of one file, and nothing else. */
function serveBare(path) {
  const server = createServer((request, reply) => {
    const [start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range).slice(1).map(Number);
    reply.writeHead(206, { 'content-length': end - start + 1 });
    createReadStream(path, { start, end, highWaterMark: CHUNK_BYTES }).pipe(reply);
  });
  server.listen(0, '127.0.0.1', () =>
    process.send({ type: 'ready', url: `http://127.0.0.1:${server.address().port}` }),
  );
  process.on('disconnect', () => process.exit(0));
}

function start(args, env) {
  const child = fork(args[0], args.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH, ...env },
  });
  return new Promise((resolve, reject) => {
    child.on(
      'message',
      (message) => message.type === 'ready' && resolve({ child, pid: child.pid, url: new URL(message.url) }),
    );
    child.on('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)));
  });
}

const buffer = Buffer.allocUnsafe(MIB);
/** One reader of one range; the bytes are counted and dropped. */
function readRange({ url, path }, first) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const onread = { buffer, callback: (count) => ((bytes += count), true) };
    const socket = connect({ port: Number(url.port), host: url.hostname, onread });
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${KEY}\r\nrange: bytes=${first}-${first + READER_BYTES - 1}\r\n\r\n`,
    );
    socket.on('error', reject);
    socket.on('close', () =>
      bytes > READER_BYTES ? resolve() : reject(new Error(`${path}: ${bytes} bytes at ${first}`)),
    );
  });
}

async function measure(target, readers, fileBytes) {
  // 5: the kernel's high-water mark of resident memory starts anew
  await writeFile(`/proc/${target.pid}/clear_refs`, '5');
  const before = await readProcess(target.pid);
  const started = performance.now();
  const places = fileBytes / READER_BYTES;
  await Promise.all(Array.from({ length: readers }, (_, index) => readRange(target, (index % places) * READER_BYTES)));
  const after = await readProcess(target.pid);
  return {
    seconds: (performance.now() - started) / 1000,
    cpuPerGib: ((after.cpuSeconds - before.cpuSeconds) * GIB) / (readers * READER_BYTES),
    growthBytes: after.peakRssBytes - before.rssBytes,
  };
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const dataDir = await mkdtemp(join(tmpdir(), 'segbench-figures-'));
  const environment = await startEnvironment({ kind: 'auto', log: () => {} });
  const children = [];
  const sql = postgres(environment.databaseUrl, { max: 1 });
  try {
    await migrate(environment.databaseUrl);
    await mkdir(join(dataDir, 'exports'));
    const files = [];
    for (const mebibytes of FILES_MIB) {
      const id = randomUUID();
      const path = join(dataDir, 'exports', id);
      const file = await open(path, 'wx');
      for (let at = 0; at < mebibytes; at++) await file.write(Buffer.alloc(MIB, at));
      await file.close();
      await sql`insert into exports (id, format, status, file_name, mime_type, etag) values (${id}, 'ndjson', 'ready', 'a', 'text/plain', ${id})`;
      files.push({ mebibytes, path, bytes: mebibytes * MIB, url: `/api/download/${id}` });
    }
    const api = await start([MAIN], {
      SEGBENCH_ROLE: 'api',
      DATABASE_URL: environment.databaseUrl,
      QUEUE_REDIS_URL: environment.queueRedisUrl,
      CACHE_REDIS_URL: environment.cacheRedisUrl,
      DATA_DIR: dataDir,
      PORT: '0',
      BOOTSTRAP_API_KEY: KEY,
      RATE_LIMITS: 'off',
    });
    children.push(api.child);
    const bare = await start([SELF, 'bare', files[0].path], {});
    children.push(bare.child);
    const service = (file) => ({ ...api, path: file.url });

    // Once each, so that code is compiled and the files are in the page cache.
    for (const target of [service(files[0]), service(files[1]), { ...bare, path: '/' }])
      await measure(target, 1, READER_BYTES);
    const pairs = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const ours = await measure(service(files[0]), PAIR_READERS, READER_BYTES);
      const theirs = await measure({ ...bare, path: '/' }, PAIR_READERS, READER_BYTES);
      pairs.push({ ours, theirs });
    }
    console.log(
      `chunks of ${CHUNK_BYTES / 1024} KiB, ${PAIR_READERS} readers of ${READER_BYTES / MIB} MiB each, ${PAIRS} pairs in turn\n`,
    );
    console.log(
      '| pair | service, CPU s/GiB | createReadStream().pipe(), CPU s/GiB | ratio |\n| --- | --- | --- | --- |',
    );
    for (const [index, { ours, theirs }] of pairs.entries())
      console.log(
        `| ${index + 1} | ${ours.cpuPerGib.toFixed(2)} | ${theirs.cpuPerGib.toFixed(2)} | ${(ours.cpuPerGib / theirs.cpuPerGib).toFixed(2)} |`,
      );
    console.log(
      `| median | | | ${median(pairs.map(({ ours, theirs }) => ours.cpuPerGib / theirs.cpuPerGib)).toFixed(2)} |\n`,
    );

    if (median(pairs.map(({ ours, theirs }) => ours.cpuPerGib / theirs.cpuPerGib)) > RATIO_LIMIT) process.exitCode = 1;
    console.log(
      `| ${READERS} readers of ${READER_BYTES / MIB} MiB each | RSS growth, peak | CPU s/GiB | time |\n| --- | --- | --- | --- |`,
    );
    for (const file of files) {
      const { growthBytes, cpuPerGib, seconds } = await measure(service(file), READERS, file.bytes);
      if (growthBytes >= GROWTH_LIMIT_BYTES) process.exitCode = 1;
      console.log(
        `| of a file of ${file.mebibytes} MiB | ${(growthBytes / 1e6).toFixed(1)} MB | ${cpuPerGib.toFixed(2)} | ${seconds.toFixed(0)} s |`,
      );
    }
  } finally {
    for (const child of children) {
      child.removeAllListeners('exit');
      child.kill('SIGTERM');
    }
    await sql.end({ timeout: 1 });
    await environment.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'bare') serveBare(process.argv[3]);
else await main();
