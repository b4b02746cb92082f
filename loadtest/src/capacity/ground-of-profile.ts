import { whyIllustrative, type Profile } from '../../../service/src/inference/sim/profile.ts';
import { MODEL_ONLY } from './assumptions.ts';
import type { Figure } from './figure.ts';
import type { Ground, SharedStage } from './ground.ts';
import { modelOfProfile } from './service-time.ts';

/** A device that was measured alone: how it scales in the service is taken for granted. */
export function groundOfProfile(
  profile: Profile,
  file: string,
  shared: Readonly<Record<SharedStage, Figure>>,
  cores: number,
): Ground {
  const { device, model, covers, failureRatio } = profile;
  return {
    file,
    kind: 'profile',
    what: `${device}, ${model} (${covers})`,
    simulated: false,
    illustrative: whyIllustrative(profile),
    notes: [
      ...(covers === 'model only' ? [MODEL_ONLY] : []),
      ...(failureRatio > 0
        ? [`${(100 * failureRatio).toFixed(1)} % of its images fail, and are not tried again here`]
        : []),
    ],
    service: modelOfProfile(profile),
    maxBatch: Math.max(...profile.points.map(({ images }) => images)),
    levels: [],
    levelsSource: `${file}: devices that do not hinder each other`,
    demands: shared,
    bytes: {},
    cores,
  };
}
