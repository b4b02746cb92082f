import { parseSync } from 'vite';

/** A node of the syntax tree (ESTree with JSX); what it has beside its type depends on that. */
type Node = { type: string } & Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';

const isWords = (text: unknown): text is string => typeof text === 'string' && /\p{L}/u.test(text);
/** Attributes that people read or hear; `label`, `ask` and the like are those of our own components. */
const SPOKEN =
  /^(aria-(label|description|roledescription|valuetext)|alt|title|placeholder|label|about|ask|yes|no|summary)$/;
/** Two words, the first with a capital, or one with a dot at its end: a sentence for people, and no key, class or route. */
const SENTENCE = /^\p{Lu}\p{Ll}+( \p{L}|\.$)/u;

const textOf = (node: Node): string => {
  if (node.type === 'TemplateLiteral')
    return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('…');
  return node.type === 'Literal' || node.type === 'JSXText' ? String(node['value']) : '';
};
/** What an expression shows where it stands: both sides of a choice, not what is handed to a function. */
function shown(node: unknown): string[] {
  if (!isNode(node)) return [];
  if (node.type === 'Literal' || node.type === 'TemplateLiteral') return isWords(textOf(node)) ? [textOf(node)] : [];
  if (node.type === 'ConditionalExpression') return [...shown(node['consequent']), ...shown(node['alternate'])];
  if (node.type === 'LogicalExpression' || node.type === 'BinaryExpression')
    return [...(node['operator'] === '&&' ? [] : shown(node['left'])), ...shown(node['right'])];
  return node.type === 'JSXExpressionContainer' ? shown(node['expression']) : [];
}

/** Words that stand in a source file and not in `words/`: text and spoken attributes of JSX, and sentences anywhere. */
export function literalWords(name: string, source: string): string[] {
  const { program, errors } = parseSync(name, source);
  if (errors.length > 0) throw new Error(`${name} cannot be parsed: ${errors[0]!.message}`);
  const found = new Set<string>();
  const add = (texts: readonly string[]) => texts.forEach((text) => found.add(text.trim().replaceAll(/\s+/g, ' ')));
  const look = (node: Node): void => {
    if (node.type === 'JSXText' && isWords(node['value'])) add([node['value']]);
    if (node.type === 'JSXAttribute' && SPOKEN.test(String((node['name'] as Node)['name']))) add(shown(node['value']));
    if (node.type === 'JSXElement' || node.type === 'JSXFragment')
      for (const child of node['children'] as Node[]) if (child.type === 'JSXExpressionContainer') add(shown(child));
    if ((node.type === 'Literal' || node.type === 'TemplateLiteral') && SENTENCE.test(textOf(node)))
      add([textOf(node)]);
    for (const value of Object.values(node))
      for (const inner of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(inner)) look(inner);
  };
  look(program as unknown as Node);
  return [...found];
}
