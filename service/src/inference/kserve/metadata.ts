import type { ModelCard } from '../model.ts';
import { isRecord, shown, sidesOf } from './protocol.ts';

/** Whether a server's `GET /v2` lists the binary tensor data extension. */
export const offersBinary = (metadata: unknown): boolean =>
  isRecord(metadata) && Array.isArray(metadata['extensions']) && metadata['extensions'].includes('binary_tensor_data');

/** Versions that a `GET /v2/models/NAME` lists; many servers list none. */
export const versionsOf = (metadata: unknown): string[] =>
  isRecord(metadata) && Array.isArray(metadata['versions'])
    ? metadata['versions'].filter((version) => typeof version === 'string' && version !== '')
    : [];

/**
 * Why a model, by its `GET /v2/models/NAME`, is not that of the card; null when nothing speaks against it. Sides that may be of
 * any length are -1. More outputs than the card's do no harm, for one is asked for by name. Servers whose models do not declare
 * their tensors give empty lists: those say nothing, and a trial has to.
 */
export function mismatchOf(metadata: unknown, card: ModelCard): string | null {
  if (!isRecord(metadata)) return `metadata of model "${card.name}" is no JSON object`;
  const inputs = tensorsOf(metadata['inputs']);
  const outputs = tensorsOf(metadata['outputs']);
  const problems = [
    inputs.length === 0 || (inputs.length === 1 && fits(inputs[0]!, card.input.name, 1))
      ? null
      : `the inputs ${inputs.map(described).join(', ')}, expected ${wanted(card.input.name, 1)} alone`,
    outputs.length === 0 || outputs.some((output) => fits(output, card.output.name, 3))
      ? null
      : `the outputs ${outputs.map(described).join(', ')}, expected ${wanted(card.output.name, 3)}`,
  ].filter((problem) => problem !== null);
  return problems.length === 0 ? null : `model "${card.name}" has ${problems.join('; and ')}`;
}

const tensorsOf = (list: unknown): Record<string, unknown>[] => (Array.isArray(list) ? list.filter(isRecord) : []);
const wanted = (name: string, planes: number) => `"${name}" FP32 [-1, ${planes}, -1, -1]`;
const described = ({ name, datatype, shape }: Record<string, unknown>) =>
  `"${String(name)}" ${String(datatype)} ${shown(shape)}`;

function fits(tensor: Record<string, unknown>, name: string, planes: number): boolean {
  const sides = sidesOf(tensor['shape']);
  if (tensor['name'] !== name || tensor['datatype'] !== 'FP32' || sides?.length !== 4) return false;
  const [count, channels, height, width] = sides;
  return count === -1 && (channels === planes || channels === -1) && height === -1 && width === -1;
}
