import { ApiError } from '../api.ts';
import { here } from '../root.ts';
import { WORDS } from '../../words/common.ts';

export interface Sending {
  /** Of the service: `/api/…`. */
  url: string;
  form: FormData;
  /** `Idempotency-Key`: sent again with the same one, the same files get the same answer and no second row. */
  key: string;
  /** Bytes of the request that have left, and all of them. */
  onProgress: (sent: number, total: number) => void;
  signal: AbortSignal;
}
export interface SendReply {
  status: number;
  /** Parsed, or null where it was no JSON. */
  body: unknown;
  retryAfterMs: number | null;
}
export type SendForm = (sending: Sending) => Promise<SendReply>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Only XMLHttpRequest tells how much of a body has left. @throws ApiError NETWORK; the signal's reason when it was stopped */
export const sendForm: SendForm = ({ url, form, key, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const request = new XMLHttpRequest();
    const stop = (): void => request.abort();
    const lost = (): void => reject(new ApiError(0, 'NETWORK', WORDS.noAnswer));
    request.open('POST', here(url));
    request.setRequestHeader('idempotency-key', key);
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onload = () => {
      const seconds = Number(request.getResponseHeader('retry-after') ?? NaN);
      resolve({
        status: request.status,
        body: parsed(request.responseText),
        retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null,
      });
    };
    request.onerror = lost;
    request.ontimeout = lost;
    request.onabort = () => reject(signal.reason as Error);
    request.onloadend = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop);
    request.send(form);
  });
