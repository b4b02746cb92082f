import {
  GraphQLError,
  Kind,
  getVariableValues,
  parse,
  validate,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { shown } from '../errors.ts';
import type { CheckArgument } from './arguments.ts';
import { demandOf, type Demand } from './complexity.ts';
import { refused, refusedBy } from './errors.ts';
import { LIMITS } from './limits.ts';
import { CLOSED_RULES, OPEN_RULES } from './rules.ts';

/** One operation as a client sends it. */
export interface OperationRequest {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}
/** An operation that may run, and what it asks for. */
export interface Prepared extends Demand {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  operationName: string | undefined;
  variableValues: Record<string, unknown>;
}
export interface DocumentRules {
  /** False: no introspection, and errors suggest no names. */
  open: boolean;
  check: CheckArgument;
}

function parsed(query: string): DocumentNode {
  const bytes = Buffer.byteLength(query);
  if (bytes > LIMITS.documentBytes)
    throw refused('DOCUMENT_TOO_LARGE', `query has ${bytes} bytes: at most ${LIMITS.documentBytes} are allowed`);
  try {
    return parse(query, { maxTokens: LIMITS.tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (/more than \d+ tokens/.test(error.message))
      throw refused(
        'DOCUMENT_TOO_LARGE',
        `query has over ${LIMITS.tokens} tokens: at most ${LIMITS.tokens} are allowed`,
      );
    throw refusedBy('DOCUMENT_SYNTAX', [error], 'a GraphQL document in query');
  }
}

function chosen(operations: readonly OperationDefinitionNode[], name: string | undefined): OperationDefinitionNode {
  const names = operations.map((operation) => operation.name?.value ?? '(no name)').join(', ');
  if (name === undefined && operations.length > 1)
    throw refused('UNKNOWN_OPERATION', `operationName is missing: expected one of ${names}`);
  const found = name === undefined ? operations[0] : operations.find((operation) => operation.name?.value === name);
  if (!found) throw refused('UNKNOWN_OPERATION', `operationName is ${shown(name)}: expected one of ${names || 'none'}`);
  return found;
}

/**
 * Everything that can be said of a document without running it, the cheap first.
 * @throws RefusedError with every reason of the first check that fails; ApiError VALIDATION for an argument
 */
export function prepare(schema: GraphQLSchema, request: OperationRequest, { open, check }: DocumentRules): Prepared {
  const document = parsed(request.query);
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operations.length > LIMITS.operations)
    throw refused(
      'TOO_MANY_OPERATIONS',
      `query has ${operations.length} operations: at most ${LIMITS.operations} are allowed`,
    );
  let aliases = 0;
  visit(document, { Field: (node) => void (node.alias && aliases++) });
  if (aliases > LIMITS.aliases)
    throw refused('TOO_MANY_ALIASES', `query has ${aliases} aliases: at most ${LIMITS.aliases} are allowed`);
  const operationName = request.operationName ?? undefined;
  const operation = chosen(operations, operationName);
  const problems = validate(schema, document, open ? OPEN_RULES : CLOSED_RULES, {
    maxErrors: 10,
    hideSuggestions: !open,
  });
  if (problems.length > 0) throw refusedBy('DOCUMENT_INVALID', problems, 'what the schema has');
  const variableValues = request.variables ?? {};
  const variables = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues, {
    maxErrors: 10,
    hideSuggestions: !open,
  });
  if (variables.errors)
    throw refusedBy('VARIABLES_INVALID', variables.errors, 'variables as the document declares them');
  const demand = demandOf(schema, document, operation, variables.variableValues, check);
  if (demand.complexity > LIMITS.complexity)
    throw refused('TOO_COMPLEX', `the document costs ${demand.complexity}: at most ${LIMITS.complexity} is allowed`);
  return { document, operation, operationName, variableValues, ...demand };
}
