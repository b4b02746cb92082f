import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A shell script that stands in for a program of the machine. */
export const writeProgram = (folder: string, name: string, script: string): Promise<void> =>
  writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
