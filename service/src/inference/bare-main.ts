import { readFile } from 'node:fs/promises';
import { bareLoop } from './bare.ts';

/** `node bare-main.ts LIST.json MODEL_DIR`: LIST.json is an array of absolute paths; prints BareFigures as JSON. */
const [list, modelDir] = process.argv.slice(2);
if (list === undefined || modelDir === undefined) {
  process.stderr.write('usage: bare-main.ts LIST.json MODEL_DIR\n');
  process.exit(2);
}
const files = JSON.parse(await readFile(list, 'utf8')) as string[];
process.stdout.write(`${JSON.stringify(await bareLoop(files, modelDir))}\n`);
