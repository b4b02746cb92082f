import type { ImagePlan } from './plan.ts';
import { createNormal } from './random.ts';
import type { Random } from './random.ts';

/**
 * What a microscope makes of the light: illumination gradient, optical blur, shot and read noise, quantisation.
 * Shot noise is drawn as a normal deviate whose variance is the photon count: the Poisson limit, good above some ten photons.
 * @returns grey values, 0-255 or 0-65535.
 */
export function expose(plan: ImagePlan, light: Float32Array, random: Random): Uint8Array | Uint16Array {
  illuminate(plan, light);
  blur(light, plan.width, plan.height, plan.blurSigma);
  const scale = plan.bitDepth === 16 ? 65_535 : 255;
  const out = plan.bitDepth === 16 ? new Uint16Array(light.length) : new Uint8Array(light.length);
  const normal = createNormal(random);
  const readVariance = plan.readNoise ** 2;
  for (let i = 0; i < light.length; i++) {
    const value = light[i] ?? 0;
    const noisy = value + normal() * Math.sqrt(Math.max(0, value) / plan.photons + readVariance);
    out[i] = Math.min(scale, Math.max(0, Math.round(noisy * scale)));
  }
  return out;
}

/** A plane across the picture and the fall-off of a lens towards the corners, together at most `gradient` deep. */
function illuminate(plan: ImagePlan, light: Float32Array): void {
  const { width, height, gradient } = plan;
  const cos = Math.cos(plan.gradientAngle);
  const sin = Math.sin(plan.gradientAngle);
  for (let y = 0; y < height; y++) {
    const v = (2 * y) / height - 1;
    for (let x = 0; x < width; x++) {
      const u = (2 * x) / width - 1;
      const plane = (cos * u + sin * v + Math.SQRT2) / (2 * Math.SQRT2);
      const corner = (u * u + v * v) / 2;
      const i = y * width + x;
      light[i] = (light[i] ?? 0) * (1 - gradient * (0.7 * plane + 0.3 * corner));
    }
  }
}

/** Separable Gaussian, cut at three standard deviations, borders repeated. In place. */
function blur(values: Float32Array, width: number, height: number, sigma: number): void {
  const radius = Math.ceil(3 * sigma);
  const kernel = Float32Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)),
  );
  const sum = kernel.reduce((a, b) => a + b, 0);
  kernel.forEach((weight, i) => (kernel[i] = weight / sum));
  const line = new Float32Array(Math.max(width, height) + 2 * radius);
  for (let y = 0; y < height; y++) convolve(values, y * width, 1, width, kernel, line);
  for (let x = 0; x < width; x++) convolve(values, x, width, height, kernel, line);
}

function convolve(
  values: Float32Array,
  start: number,
  stride: number,
  length: number,
  kernel: Float32Array,
  line: Float32Array,
): void {
  const radius = (kernel.length - 1) / 2;
  for (let i = 0; i < length + 2 * radius; i++) {
    const at = Math.min(length - 1, Math.max(0, i - radius));
    line[i] = values[start + at * stride] ?? 0;
  }
  for (let i = 0; i < length; i++) {
    let total = 0;
    for (let k = 0; k < kernel.length; k++) total += (kernel[k] ?? 0) * (line[i + k] ?? 0);
    values[start + i * stride] = total;
  }
}
