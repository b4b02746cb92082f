import type { InferenceSession } from 'onnxruntime-node';
import type { ModelCard } from './card.ts';
import type { ModelSession } from './session.ts';

type Metadata = InferenceSession.ValueMetadata;

const shapeOf = (tensor: Metadata): readonly (string | number)[] => (tensor.isTensor ? tensor.shape : []);
const told = (tensor: Metadata) =>
  tensor.isTensor ? `${tensor.name}: ${tensor.type} [${tensor.shape.join(', ')}]` : `${tensor.name}: no tensor`;

/** Free: a dimension with a name, or with none. */
const isFree = (dimension: string | number | undefined) => typeof dimension === 'string' || Number(dimension) <= 0;

/** Why a tensor is not float32 [n, channels, h, w] with n, h and w free; null when it is. */
function wrongWith(tensor: Metadata, channels: number): string | null {
  const expected = `expected float32 [n, ${channels}, h, w], n, h and w free (dynamic axes)`;
  const shape = shapeOf(tensor);
  const [n, c, h, w] = shape;
  const fits = tensor.isTensor && tensor.type === 'float32' && shape.length === 4 && [n, h, w].every(isFree);
  return fits && (c === channels || isFree(c)) ? null : `${told(tensor)}, ${expected}`;
}

/** @throws Error that says what the network takes and gives, and what its card and this service expect. */
export function checkSignature(
  { inputMetadata, outputMetadata }: Pick<InferenceSession, 'inputMetadata' | 'outputMetadata'>,
  card: ModelCard,
  file: string,
): void {
  const input = inputMetadata.find(({ name }) => name === card.input.name);
  const output = outputMetadata.find(({ name }) => name === card.output.name);
  const list = (all: readonly Metadata[]) => all.map(told).join('; ');
  const wrong: string[] = [];
  if (input === undefined)
    wrong.push(`its inputs are ${list(inputMetadata)}; card.json's input.name is "${card.input.name}"`);
  else if (inputMetadata.length > 1) wrong.push(`its inputs are ${list(inputMetadata)}; expected one`);
  const unfit = input === undefined ? null : wrongWith(input, 1);
  if (unfit !== null) wrong.push(`input ${unfit}`);
  if (output === undefined)
    wrong.push(`its outputs are ${list(outputMetadata)}; card.json's output.name is "${card.output.name}"`);
  const unfitOutput = output === undefined ? null : wrongWith(output, 3);
  if (unfitOutput !== null) wrong.push(`output ${unfitOutput}`);
  if (wrong.length > 0) throw new Error(wrong.map((line) => `${file}: ${line}`).join('\n'));
}

/**
 * Runs one small image, wider than high, a bright square on a dark ground. @throws Error when the result has another shape,
 * holds what is not a number, or looks like probabilities: softmax is done by the service.
 */
export async function probe(run: ModelSession['run'], card: ModelCard, file: string): Promise<void> {
  const side = Math.max(16, card.input.multipleOf);
  const [width, height] = [2 * side, side];
  const input = Float32Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    return Math.abs(2 * x - width) < side / 2 && Math.abs(2 * y - height) < side / 2 ? 1 : 0.02 * ((x * 7 + y * 3) % 5);
  });
  const planes = await run(input, width, height).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${file}: a run on ${width} x ${height} fails: ${message}`, { cause: error });
  });
  const bad = planes.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new Error(`${file}: a run on ${width} x ${height} gives ${planes[bad]} at ${bad}, expected finite numbers`);
  const size = width * height;
  const isShare = (at: number) => {
    const three = [planes[at]!, planes[size + at]!, planes[2 * size + at]!];
    return three.every((value) => value >= 0) && Math.abs(three[0]! + three[1]! + three[2]! - 1) < 1e-3;
  };
  if (Array.from({ length: size }, (_, at) => at).every(isShare))
    throw new Error(`${file}: output "${card.output.name}" is probabilities already, expected logits (before softmax)`);
}
