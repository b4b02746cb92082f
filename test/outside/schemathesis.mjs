// Schemathesis (property-based requests from the OpenAPI document) against a real service:
//   node test/outside/schemathesis.mjs [--examples 40] [--seed 1] [--program schemathesis]
// Exit 1 when it finds an answer that the document does not allow, 3 when it is not installed.
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KEY, need, runProgram, startService } from './kit.mjs';

const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    program: { type: 'string', default: 'schemathesis' },
  },
});
const program = values.program.includes('/') ? resolve(values.program) : values.program;
console.log(await need(program, ['--version'], 'python3 -m venv V && V/bin/pip install schemathesis'));
const service = await startService({ LOG_LEVEL: 'error' });
try {
  const { code, output } = await runProgram(
    program,
    [
      'run',
      `${service.url}/openapi.json`,
      '--header',
      `Authorization: Bearer ${KEY}`,
      '--max-examples',
      values.examples,
      '--seed',
      values.seed,
      '--phases',
      'examples,coverage,fuzzing',
      '--continue-on-failure',
      // What a schema cannot say is refused all the same: a cursor that no list gave out, a project without images, a time that is past,
      // `imageIds` and `batchId` together.
      '--exclude-checks',
      'positive_data_acceptance',
      // A key that is revoked on the way, the own one too, would end the run; sockets are no requests.
      '--exclude-path-regex',
      '^/api/keys/|^/api/session$|^/api/events$',
      '--no-color',
    ],
    // It leaves a folder of what it tried where it runs.
    { cwd: tmpdir() },
  );
  console.log(output);
  const health = await fetch(`${service.url}/readyz`);
  console.log(`afterwards /readyz answers ${health.status}`);
  process.exitCode = code === 0 && health.status === 200 ? 0 : 1;
} finally {
  await service.stop();
}
