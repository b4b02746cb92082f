export const GRAPHQL_RESPONSE = 'application/graphql-response+json';

/** Weight of a media type in an Accept header (RFC 9110 section 12.5.1), by its own name; 0 where it is not named. */
function weightOf(accept: string, type: string): number {
  for (const part of accept.toLowerCase().split(',')) {
    const [name, ...parameters] = part.split(';').map((word) => word.trim());
    if (name !== type) continue;
    const q = parameters.find((word) => word.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    return weight >= 0 && weight <= 1 ? weight : 0;
  }
  return 0;
}

/** Whether a client takes GraphQL's own media type, and does not like plain JSON better. */
export function wantsGraphqlResponse(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const own = weightOf(accept, GRAPHQL_RESPONSE);
  return own > 0 && own >= weightOf(accept, 'application/json');
}

/** A browser that was sent here by its address bar. */
export const wantsPage = (accept: string | undefined): boolean => weightOf(accept ?? '', 'text/html') > 0;
