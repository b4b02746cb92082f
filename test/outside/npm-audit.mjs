// Known holes in what the lockfile installs, as far as the registry answers: node test/outside/npm-audit.mjs
// Exit 1 when a package that the service runs with has one of level high or above; 3 when the registry does not answer.
import { runProgram } from './kit.mjs';

const { output } = await runProgram('npm', ['audit', '--json'], { cwd: new URL('../..', import.meta.url).pathname });
const begin = output.indexOf('{');
const report = begin < 0 ? null : JSON.parse(output.slice(begin, output.lastIndexOf('}') + 1));
if (!report?.metadata) {
  console.error(
    `the registry gave no audit: ${report?.error?.summary || report?.message || output.trim().slice(0, 500)}`,
  );
  process.exit(3);
}
const { vulnerabilities, dependencies } = report.metadata;
console.log(JSON.stringify({ vulnerabilities, dependencies }));
for (const [name, { severity, isDirect, range, fixAvailable }] of Object.entries(report.vulnerabilities))
  console.log(`${severity}: ${name} ${range}${isDirect ? ', direct' : ''}, fix: ${JSON.stringify(fixAvailable)}`);
process.exitCode = vulnerabilities.high + vulnerabilities.critical > 0 ? 1 : 0;
