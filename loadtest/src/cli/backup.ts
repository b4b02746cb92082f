import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { backUp } from '../backup/backup.ts';
import { reportError } from './exit.ts';
import { helpOf, parseFlags, textOf, type FlagTable } from './flags.ts';
import { newFolder } from './new-folder.ts';
import { UsageError } from './usage-error.ts';

const FLAGS = {
  data: { value: 'DIR', help: 'folder of the running npm start (default .segbench/data)' },
  to: { value: 'DIR', help: 'where the backup goes: a folder that does not exist, or is empty' },
  help: { help: 'this text' },
} as const satisfies FlagTable;

try {
  const values = parseFlags(process.argv.slice(2), FLAGS);
  if (values['help']) {
    const title = 'Backs up the data of npm start while it runs; npm start -- --data DIR goes on from the backup.';
    process.stdout.write(`${helpOf(title, 'npm run backup -- --to DIR [options]', FLAGS)}\n`);
  } else {
    const dataDir = resolve(textOf(values, 'data') ?? '.segbench/data');
    const to = textOf(values, 'to');
    if (to === undefined) throw new UsageError('--to is missing; expected a folder for the backup');
    if (`${resolve(to)}/`.startsWith(`${dataDir}/`) && resolve(to) !== dataDir)
      throw new UsageError(`--to "${to}" lies in the folder that is copied; allowed: a folder outside ${dataDir}`);
    if (!statSync(dataDir, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`--data "${dataDir}" does not exist; expected the folder of an npm start`);
    await backUp({ dataDir, to: resolve(newFolder('to', to)) });
    process.stdout.write(`backup ${resolve(to)}\n`);
  }
} catch (error) {
  reportError(error);
}
