import { basename, dirname } from 'node:path';
import { readCard, readWeights, type ModelCard } from '../../../service/src/inference/model.ts';
import type { Provider } from '../../../service/src/inference/providers.ts';
import { failed, ok, type Check } from './check.ts';
import { runTrial, toldResult, type Trial, type TrialOutcome } from './trial.ts';

export interface ModelQuestion {
  modelDir: string;
  provider: Provider;
  image?: string;
}

/** Messages of loading name the model's file or its provider; a process that ended names itself. */
const isOfImage = (message: string) => !/model\.onnx|^provider |^the process/.test(message);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function checkFolder(dir: string, card: ModelCard): Check {
  const [version, name] = [basename(dir), basename(dirname(dir))];
  const says = `card.json says ${card.name} ${card.version}`;
  return name === card.name && version === card.version
    ? ok('folder', `${name}/${version}, as the card says`)
    : failed(
        'folder',
        `${name}/${version}; ${says}`,
        `name the folder ${card.name}/${card.version}, or change the card`,
      );
}

function checkWarnings(card: ModelCard, warnings: readonly string[]): Check {
  if (card.knows === undefined)
    return ok('knows', 'nothing: results carry no warnings (docs/own-model.md, "What a model knows")');
  return ok('knows', `${Object.keys(card.knows).join(', ')}; this image: ${warnings.join(', ') || 'no warning'}`);
}

/**
 * Card, weights, network, and one image, in this order; what rests on something that failed is not tried.
 * @param trial for tests
 */
export async function checkModel(
  { modelDir, provider, image }: ModelQuestion,
  trial: (asked: Trial) => Promise<TrialOutcome> = runTrial,
): Promise<Check[]> {
  const checks: Check[] = [];
  let card: ModelCard;
  try {
    card = await readCard(modelDir);
  } catch (error) {
    return [failed('card', messageOf(error), 'correct card.json; its fields: docs/own-model.md, "The card"')];
  }
  checks.push(ok('card', `${card.name} ${card.version}`), checkFolder(modelDir, card));
  try {
    const weights = await readWeights(modelDir, card);
    checks.push(ok('weights', `${weights.length} bytes, SHA-256 as the card says`));
  } catch (error) {
    const remedy = 'copy model.onnx anew, or put the output of `sha256sum model.onnx` into card.json';
    return [...checks, failed('weights', messageOf(error), remedy)];
  }
  const outcome = await trial({ modelDir, provider, ...(image === undefined ? {} : { image }) });
  if ('error' in outcome) {
    if (image !== undefined && isOfImage(outcome.error))
      return [
        ...checks,
        failed('image', `${image}: ${outcome.error}`, 'try another one; what is taken: docs/inputs.md'),
      ];
    const isProvider = /provider ".*" (is not|cannot)/.test(outcome.error) && provider !== 'cpu';
    const remedy = isProvider
      ? `npm run doctor -- --gpu --provider ${provider}`
      : 'export it as docs/own-model.md, "The network", says';
    return [...checks, failed(`run on ${provider}`, outcome.error, remedy)];
  }
  checks.push(ok('network', `${card.input.name} -> ${card.output.name}, float32, 3 classes, finite on a small image`));
  checks.push(ok(`run on ${provider}`, toldResult(outcome.result)));
  checks.push(checkWarnings(card, outcome.result.warnings));
  if (image === undefined && outcome.result.cells === 0)
    checks.push(
      failed('cells', 'none in a generated image of 16 bright discs', 'try an image that it should know: --image FILE'),
    );
  return checks;
}
