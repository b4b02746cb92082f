import { describe, expect, it } from 'vitest';
import { apiError } from '../../src/errors.ts';
import { errorBody, toApiError } from '../../src/plugins/error-handler.ts';

const withCode = (code: string) => Object.assign(new Error('/secret/path failed'), { code });

describe('toApiError', () => {
  it.each([
    ['ENOSPC', 507],
    ['53100', 507],
    ['ECONNREFUSED', 503],
    ['CONNECTION_CLOSED', 503],
    ['57P01', 503],
    ['EWHATEVER', 500],
  ])('answers %s with %i and without its own message', (code, statusCode) => {
    const body = errorBody(toApiError(withCode(code)));
    expect(body.statusCode).toBe(statusCode);
    expect(body.message).not.toContain('secret');
  });

  it.each([
    'Multipart: Boundary not found',
    'Unexpected end of multipart data',
    'Part terminated early due to unexpected end of multipart data',
  ])('answers 400 when a multipart parser says: %s', (message) => {
    expect(errorBody(toApiError(new Error(message)))).toMatchObject({ statusCode: 400, code: 'BAD_REQUEST' });
  });

  it('keeps what the service says itself', () => {
    expect(errorBody(toApiError(apiError('NOT_READY', 'export 1 is running')))).toEqual({
      statusCode: 409,
      code: 'NOT_READY',
      error: 'Conflict',
      message: 'export 1 is running',
    });
  });
});
