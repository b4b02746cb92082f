// The parts list of what the lockfile installs, in both formats that npm writes: node test/outside/sbom.mjs [--out DIR]
// Checks that each is well formed, that both name the same packages as the lockfile does, each with its version, its checksum and a
// licence of the allowed ones. Exit 1 when not.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from './kit.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
/** Licences that ask for nothing but a notice; LGPL of libvips' shared library, which is linked and can be replaced. */
const ALLOWED =
  /^\(?(MIT|MIT-0|ISC|Apache-2\.0|BSD-2-Clause|BSD-3-Clause|0BSD|BlueOak-1\.0\.0|CC0-1\.0|CC-BY-4\.0|Python-2\.0|PSF-2\.0|Unlicense|MPL-2\.0|LGPL-3\.0-or-later|Zlib)\b/;
const { values } = parseArgs({ options: { out: { type: 'string' } } });
const problems = [];

async function sbom(format) {
  const { code, output } = await runProgram('npm', ['sbom', '--package-lock-only', `--sbom-format=${format}`], {
    cwd: ROOT,
  });
  if (code !== 0) throw new Error(`npm sbom ${format}: ${output.slice(0, 500)}`);
  const document = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1));
  if (values.out) {
    await mkdir(values.out, { recursive: true });
    await writeFile(join(values.out, `${format}.json`), JSON.stringify(document, null, 2));
  }
  return document;
}
const cyclonedx = await sbom('cyclonedx');
const spdx = await sbom('spdx');
const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));

if (cyclonedx.bomFormat !== 'CycloneDX' || !/^1\.\d$/.test(cyclonedx.specVersion)) problems.push('CycloneDX: no head');
if (!/^SPDX-2\.\d$/.test(spdx.spdxVersion) || spdx.dataLicense !== 'CC0-1.0') problems.push('SPDX: no head');
const refs = new Set([cyclonedx.metadata.component['bom-ref'], ...cyclonedx.components.map((one) => one['bom-ref'])]);
for (const { ref, dependsOn = [] } of cyclonedx.dependencies)
  for (const each of [ref, ...dependsOn])
    if (!refs.has(each)) problems.push(`CycloneDX: ${each} is depended on and not listed`);
const ids = new Set(spdx.packages.map(({ SPDXID }) => SPDXID));
for (const { spdxElementId, relatedSpdxElement } of spdx.relationships)
  for (const each of [spdxElementId, relatedSpdxElement])
    if (!ids.has(each) && each !== 'SPDXRef-DOCUMENT') problems.push(`SPDX: ${each} is related and not listed`);

const inLock = Object.entries(lock.packages).flatMap(([path, { name, version, link }]) =>
  // An alias is installed under another name than the package's own.
  path === '' || link ? [] : [`${name ?? path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`],
);
const inCyclonedx = cyclonedx.components.map(
  ({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`,
);
const inSpdx = spdx.packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
for (const one of new Set(inLock)) {
  if (!inCyclonedx.includes(one)) problems.push(`CycloneDX lacks ${one}`);
  if (!inSpdx.includes(one)) problems.push(`SPDX lacks ${one}`);
}
/** Packages from before npm's field `license` state theirs in a list, which `npm sbom` does not read. */
async function oldStyleLicence(name) {
  const text = await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(text).licenses ?? []).map(({ type }) => type).join(' AND ') || 'none';
}
const licences = {};
for (const { name, version, hashes, licenses = [] } of cyclonedx.components) {
  if (!hashes?.length) problems.push(`${name}@${version} has no checksum`);
  const text =
    licenses.map(({ license, expression }) => expression ?? license?.id ?? license?.name ?? '').join(' AND ') ||
    (await oldStyleLicence(name));
  licences[text] = (licences[text] ?? 0) + 1;
  if (!ALLOWED.test(text)) problems.push(`${name}@${version}: licence ${text}`);
}
console.log(
  JSON.stringify({
    packages: new Set(inLock).size,
    cyclonedx: `${cyclonedx.specVersion}, ${inCyclonedx.length} components`,
    spdx: `${spdx.spdxVersion}, ${inSpdx.length} packages`,
    licences,
  }),
);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
