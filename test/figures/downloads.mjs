// What downloads cost a real API process: resident memory with 100 readers, and CPU a GiB against a bare createReadStream().pipe()
// with chunks of the same size, both in turn in the same run. Prints a table, and ends with 1 when a limit is passed; less than a minute.
//
//   node test/figures/downloads.mjs            (Node 24, Linux)
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readProcess } from '../../loadtest/src/measure/proc.ts';
import { KEY, startGround } from './ground.mjs';

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
const SELF = fileURLToPath(import.meta.url);

/** The other side of the comparison: ranges of one file, and nothing else. */
function serveBare(path) {
  const server = createServer((request, reply) => {
    const [start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range).slice(1).map(Number);
    reply.writeHead(206, { 'content-length': end - start + 1 });
    createReadStream(path, { start, end, highWaterMark: CHUNK_BYTES }).pipe(reply);
  });
  server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
  process.on('disconnect', () => process.exit(0));
}

function startBare(path) {
  const child = fork(SELF, ['bare', path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return new Promise((resolve, reject) => {
    child.on('message', ({ url }) => resolve({ child, pid: child.pid, url: new URL(url) }));
    child.on('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
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
  const before = readProcess(target.pid);
  const started = performance.now();
  const places = fileBytes / READER_BYTES;
  await Promise.all(Array.from({ length: readers }, (_, index) => readRange(target, (index % places) * READER_BYTES)));
  const after = readProcess(target.pid);
  return {
    seconds: (performance.now() - started) / 1000,
    cpuPerGib: ((after.cpuSeconds - before.cpuSeconds) * GIB) / (readers * READER_BYTES),
    growthBytes: after.peakRssBytes - before.rssBytes,
  };
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const { dataDir, sql, api, stop } = await startGround();
  let bare;
  try {
    const [projectId, batchId] = [randomUUID(), randomUUID()];
    await sql`insert into projects (id, name) values (${projectId}, 'figures')`;
    await sql`insert into batches (id, project_id, status, model, model_version, threshold, parameters, total)
      values (${batchId}, ${projectId}, 'completed', 'nuclei', '1', 0.5, 't=0.5', 0)`;
    const files = [];
    for (const mebibytes of FILES_MIB) {
      const id = randomUUID();
      const path = join(dataDir, 'exports', id);
      const file = await open(path, 'wx');
      for (let at = 0; at < mebibytes; at++) await file.write(Buffer.alloc(MIB, at));
      await file.close();
      await sql`insert into exports (id, batch_id, format, status, file_name, mime_type, etag) values (${id}, ${batchId}, 'ndjson', 'ready', 'a', 'text/plain', ${id})`;
      files.push({ mebibytes, path, bytes: mebibytes * MIB, url: `/api/download/${id}` });
    }
    bare = await startBare(files[0].path);
    const service = (file) => ({ pid: api.pid, url: new URL(api.url), path: file.url });

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
    bare?.child.removeAllListeners('exit');
    bare?.child.kill('SIGTERM');
    await stop();
  }
}

if (process.argv[2] === 'bare') serveBare(process.argv[3]);
else await main();
