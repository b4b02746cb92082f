import type { Rejection } from '#contract/images.ts';

export interface ImageFacts {
  mimeType: string;
  width: number;
  height: number;
  channels: number;
  pages: number;
  /** 0xRRGGBB */
  averageColour: number;
}
export type Refusal = Omit<Rejection, 'name'>;
export const isRefusal = (value: ImageFacts | Refusal): value is Refusal => 'code' in value;
