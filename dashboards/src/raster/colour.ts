/** Red, green and blue of the objects' outlines, and how much of it their insides have. */
export const OUTLINE = [63, 224, 197] as const;
export const FILL_ALPHA = 0.22;
