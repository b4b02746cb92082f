// Autobahn's WebSocket test cases (wstest, Python 2) against /graphql of a real service:
//   node test/outside/websocket.mjs [--program wstest] [--cases '2.*,3.*,4.*,5.*,6.*,7.*']
// The service echoes nothing, so that of each case that waits for an echo only the end counts: the connection must be closed, cleanly
// or with the code that the case expects. Exit 1 when a ping is not answered or a violation is let pass; 3 when it is not installed.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KEY, need, runProgram, startService } from './kit.mjs';

const { values } = parseArgs({
  options: {
    program: { type: 'string', default: 'wstest' },
    cases: { type: 'string', default: '1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*' },
  },
});
await need(values.program, ['--help'], 'python2.7 -m virtualenv V && V/bin/pip install autobahntestsuite');
const service = await startService({ SOCKETS_EACH: '1000' });
const { port } = new URL(service.url);

/** wstest sends neither keys nor our subprotocol: they are put into its handshakes, and taken out of the answers. */
const proxy = createServer((near) => {
  const far = connect(Number(port), '127.0.0.1');
  for (const socket of [near, far]) socket.on('error', () => {});
  near.once('data', (head) => {
    const more = `Authorization: Bearer ${KEY}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n`;
    far.write(head.toString('latin1').replace('\r\n', `\r\n${more}`), 'latin1');
    near.pipe(far);
  });
  far.once('data', (head) => {
    near.write(head.toString('latin1').replace(/sec-websocket-protocol: [^\r]*\r\n/i, ''), 'latin1');
    far.pipe(near);
  });
  near.on('close', () => far.destroy());
});
await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));

const folder = await mkdtemp(join(tmpdir(), 'segbench-wstest-'));
try {
  const spec = join(folder, 'spec.json');
  await writeFile(
    spec,
    JSON.stringify({
      outdir: join(folder, 'reports'),
      servers: [{ agent: 'segbench', url: `ws://127.0.0.1:${proxy.address().port}/graphql`, options: { version: 18 } }],
      cases: values.cases.split(','),
      'exclude-cases': [],
      'exclude-agent-cases': {},
    }),
  );
  const { output } = await runProgram(values.program, ['-m', 'fuzzingclient', '-s', spec]);
  const index = JSON.parse(await readFile(join(folder, 'reports/index.json'), 'utf8').catch(() => '{}'));
  const cases = Object.entries(index.segbench ?? {});
  if (cases.length === 0) throw new Error(`wstest made no report:\n${output.slice(-2000)}`);
  const groups = {};
  const wrong = [];
  for (const [name, { behavior, behaviorClose, reportfile, remoteCloseCode }] of cases) {
    const { expected, received, isServer } = JSON.parse(await readFile(join(folder, 'reports', reportfile), 'utf8'));
    // What waits for an echo is told by its expectation: a message comes back. Cases 9 send large messages and time their echo.
    const echo =
      name.startsWith('9.') ||
      Object.values(expected ?? {}).some((events) => JSON.stringify(events).includes('"message"'));
    const kind = echo ? 'waits for an echo' : 'without echo';
    const key = `${name.split('.')[0]}, ${kind}`;
    const group = (groups[key] ??= { OK: 0, 'NON-STRICT': 0, INFORMATIONAL: 0, FAILED: 0, 'closed with': new Set() });
    group[behavior] = (group[behavior] ?? 0) + 1;
    if (remoteCloseCode) group['closed with'].add(remoteCloseCode);
    if (!echo && behavior === 'FAILED')
      wrong.push(
        `${name}: ${behavior}, close ${behaviorClose}, got ${JSON.stringify(received).slice(0, 100)}, server ${isServer}`,
      );
    if (behaviorClose === 'WRONG CODE' && !echo) wrong.push(`${name}: close ${behaviorClose} (${remoteCloseCode})`);
  }
  console.table(
    Object.fromEntries(
      Object.entries(groups).map(([key, group]) => [
        key,
        { ...group, 'closed with': [...group['closed with']].join(' ') },
      ]),
    ),
  );
  const ready = await fetch(`${service.url}/readyz`);
  console.log(`${cases.length} cases; afterwards /readyz answers ${ready.status}`);
  for (const line of wrong) console.log(line);
  process.exitCode = wrong.length === 0 && ready.status === 200 ? 0 : 1;
} finally {
  proxy.close();
  await service.stop();
  await rm(folder, { recursive: true, force: true });
}
