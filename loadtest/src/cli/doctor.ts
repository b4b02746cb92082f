import { join } from 'node:path';
import { loadModelCard } from '../../../service/src/inference/model.ts';
import { failed, linesOf, ok, type Check } from '../doctor/check.ts';
import { checkEndpoint, checkProvider, providersOf } from '../doctor/gpu.ts';
import { thisMachine } from '../doctor/libraries.ts';
import { checkModel } from '../doctor/model.ts';
import { runTrial } from '../doctor/trial.ts';
import { projectRoot } from '../environment/paths.ts';
import { doctorHelp, parseDoctorOptions, type DoctorOptions } from './doctor-options.ts';
import { EXIT, reportError } from './exit.ts';

const MODELS = join(projectRoot, 'service/models');
const MODEL = 'nuclei';

interface Findings {
  checks: Check[];
  /** Something that was asked for is not there. A GPU's parts may be missing as long as another can run. */
  isMissing: boolean;
}

async function lookAtGpu({ provider, endpoint, model }: DoctorOptions): Promise<Findings> {
  const machine = thisMachine();
  const modelDir = model ?? (await loadModelCard(MODELS, MODEL)).dir;
  const trial = (name: NonNullable<typeof provider>) => runTrial({ modelDir, provider: name });
  const wanted = provider === undefined ? (['cpu', ...providersOf(machine.platform)] as const) : [provider];
  const checks: Check[] = [];
  const usable: string[] = [];
  for (const name of wanted) {
    const report = await checkProvider(name, machine, trial, name === provider);
    checks.push(...report.checks);
    if (report.usable) usable.push(name);
  }
  const served = endpoint === undefined ? [] : await checkEndpoint(endpoint, MODEL);
  checks.push(...served);
  const isServed = served.length > 0 && served.every((check) => check.ok);
  const settings = [...usable.map((name) => `PROVIDER=${name}`), ...(isServed ? [`POOL=kserve:${endpoint}`] : [])];
  const isMissing =
    provider !== undefined || endpoint !== undefined
      ? (provider !== undefined && usable.length === 0) || (endpoint !== undefined && !isServed)
      : !usable.some((name) => name !== 'cpu');
  const runs = settings.length > 0 ? `npm start with ${settings.join(', or ')}` : 'nothing of what was looked at';
  checks.push(
    isMissing
      ? failed('what runs here', runs, 'the lines above say what each of the others lacks')
      : ok('what runs here', runs),
  );
  return { checks, isMissing };
}

async function run(options: DoctorOptions): Promise<number> {
  const { model: modelDir, image, provider = 'cpu' } = options;
  const findings: Findings[] = [];
  if (modelDir !== undefined) {
    const checks = await checkModel({ modelDir, provider, ...(image === undefined ? {} : { image }) });
    findings.push({ checks, isMissing: checks.some((check) => !check.ok) });
  }
  if (options.gpu) findings.push(await lookAtGpu(options));
  const checks = findings.flatMap((each) => each.checks);
  const isMissing = findings.some((each) => each.isMissing);
  process.stdout.write(
    options.json ? `${JSON.stringify({ ok: !isMissing, checks }, null, 2)}\n` : `${linesOf(checks)}\n`,
  );
  return isMissing ? EXIT.environment : EXIT.pass;
}

try {
  const options = parseDoctorOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${doctorHelp()}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
