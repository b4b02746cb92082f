import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { join, relative } from 'node:path';
import { UsageError } from '../cli/usage-error.ts';
import type { EnvironmentInfo, ReportTable, ResultFile } from '../contract.ts';
import { projectRoot } from '../environment/paths.ts';
import { foreignShare, readMachineCpu } from '../measure/noise.ts';
import { readProcess } from '../measure/proc.ts';
import { pressureBetween, readCpuPressure } from '../measure/psi.ts';
import { describeTool } from '../run/tool.ts';

/** What was measured, and what it was to be. */
export interface Figure {
  table: ReportTable;
  limits: FigureLimit[];
}
export interface FigureLimit {
  /** With the value, its unit and what is allowed. */
  text: string;
  holds: boolean;
}
/** A figure of a single part, beside the runs of the bench, with where and when it was measured. */
export interface KeptFigure extends Figure {
  schemaVersion: 1;
  /** As typed in the project's folder. */
  command: string;
  /** ISO 8601. */
  startedAt: string;
  finishedAt: string;
  tool: ResultFile['tool'];
  machine: Pick<EnvironmentInfo, 'cpuModel' | 'cores' | 'memoryBytes' | 'os' | 'node'>;
  /** Shares of the time and of the machine, 0-1, as in a result file. */
  psiCpuSome: number | null;
  foreignCpuShare: number | null;
}

const FOLDER = join(projectRoot, 'bench-results/reference/figures');

/** Of this process and of all that it started and saw end. */
function ownSeconds(): number {
  const { cpuSeconds = 0, reapedCpuSeconds = 0 } = readProcess(process.pid) ?? {};
  return cpuSeconds + reapedCpuSeconds;
}

/** Measures with the machine watched. What `measure` starts must have ended when it is done. */
export async function takeFigure(command: string, measure: () => Promise<Figure>): Promise<KeptFigure> {
  const startedAt = new Date().toISOString();
  const [cpu, pressure, own] = [await readMachineCpu(), await readCpuPressure(), ownSeconds()];
  const figure = await measure();
  return {
    schemaVersion: 1,
    command,
    startedAt,
    finishedAt: new Date().toISOString(),
    tool: await describeTool(),
    machine: {
      cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      os: `${type()} ${release()}`,
      node: process.version,
    },
    psiCpuSome: pressureBetween(pressure, await readCpuPressure()),
    foreignCpuShare: foreignShare(cpu, await readMachineCpu(), ownSeconds() - own),
    ...figure,
  };
}

/** @returns the file's path below the project's folder */
export async function keepFigure(name: string, figure: KeptFigure): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const path = join(FOLDER, `${name}.json`);
  await writeFile(path, `${JSON.stringify(figure, null, 2)}\n`);
  return relative(projectRoot, path);
}

/** All that are kept, in the order of their names; none where there is no folder. @throws UsageError for a file of another schema */
export async function readFigures(folder = FOLDER): Promise<KeptFigure[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const figure = JSON.parse(await readFile(join(folder, name), 'utf8')) as KeptFigure;
      const version: number = figure.schemaVersion;
      if (version !== 1) throw new UsageError(`${join(folder, name)} has schemaVersion ${version}; allowed: 1`);
      return figure;
    }),
  );
}
