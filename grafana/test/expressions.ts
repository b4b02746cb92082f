const KEYWORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan', 'by', 'without', 'on', 'ignoring']);

/** Names of the metrics that an expression reads. */
export function metricNames(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const words = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*/g)];
  const names = words
    .filter(
      ({ 0: word, index }) => !KEYWORDS.has(word.toLowerCase()) && !/^\s*\(/.test(bare.slice(index + word.length)),
    )
    .map(([word]) => word);
  return [...new Set(names)];
}

/** As Prometheus gets it: Grafana's variables filled in. */
export const filledIn = (expr: string): string => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*');
