#!/usr/bin/env node
/**
 * Writes `dist/sbom.cdx.json`: what a user of the package gets, as a CycloneDX bill of materials. npm makes it from the lockfile,
 * which has the versions that were tested; of indirect dependencies npm may install newer ones, within what those allow. The time,
 * serial number and folder that change with every call are left out, so that the same lockfile gives the same file.
 * Usage: node release/sbom.mjs [--out FILE]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist/sbom.cdx.json') } } });
const { name, version, packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

/** Purls of what is installed with the package. `npm sbom --omit dev` also leaves out what a tool needs as well as a user. */
const used = new Set(
  // an alias has its own name beside its folder
  Object.entries(packages).flatMap(([path, { dev, name: own = path.split('node_modules/').at(-1), version: of }]) =>
    path === '' || dev ? [] : [`pkg:npm/${own.replace(/^@/, '%40')}@${of}`],
  ),
);
const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
const text = execFileSync(npm[0], [...npm.slice(1), ...args], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
const bill = JSON.parse(text);
delete bill.serialNumber;
delete bill.metadata.timestamp;
bill.metadata.component.name = name;
bill.components = bill.components.filter(({ purl }) => used.has(purl));
const refs = new Set([`${name}@${version}`, ...bill.components.map((component) => component['bom-ref'])]);
bill.dependencies = bill.dependencies.flatMap(({ ref, dependsOn = [] }) =>
  refs.has(ref) ? [{ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }] : [],
);
const listed = new Set(bill.components.map(({ purl }) => purl));
const lacking = [...used].filter((purl) => !listed.has(purl));
if (lacking.length > 0) throw new Error(`npm sbom knows nothing of ${lacking.join(', ')}`);

mkdirSync(dirname(values.out), { recursive: true });
writeFileSync(values.out, `${JSON.stringify(bill, null, 2)}\n`);
const without = bill.components.filter(({ licenses }) => !licenses?.length).map(({ purl }) => purl);
process.stderr.write(`${values.out}: ${bill.components.length} components, ${without.length} without a licence\n`);
if (without.length > 0) process.stderr.write(`  ${without.join('\n  ')}\n`);
