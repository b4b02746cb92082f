#!/usr/bin/env node
/**
 * Writes `dist/sbom.cdx.json`: what a user of the package gets, as a CycloneDX bill of materials. npm makes it from the lockfile;
 * the time and serial number that change with every call are left out, so that the same lockfile gives the same file.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
const text = execFileSync(npm[0], [...npm.slice(1), ...args], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
const bill = JSON.parse(text);
delete bill.serialNumber;
delete bill.metadata.timestamp;
const without = bill.components.filter(({ licenses }) => !licenses?.length).map(({ purl }) => purl);
mkdirSync(join(root, 'dist'), { recursive: true });
writeFileSync(join(root, 'dist/sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
process.stderr.write(`dist/sbom.cdx.json: ${bill.components.length} components, ${without.length} without a licence\n`);
if (without.length > 0) process.stderr.write(`  ${without.join('\n  ')}\n`);
