/** Media types of an `Accept` header with their weights, in the order in which they are named (RFC 9110 section 12.5.1). */
export function acceptWeights(accept = '*/*'): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1);
    weights.set(type, weight >= 0 ? Math.min(1, weight) : 0);
  }
  return weights;
}
