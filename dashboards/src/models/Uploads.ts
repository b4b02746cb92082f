import { signal } from '@preact/signals';
import type { UploadReply } from '#contract/images.ts';
import { addressOf } from '#contract/client.ts';
import { ApiError, type Api } from './api.ts';

const FILES_A_REQUEST = 20;
const BYTES_A_REQUEST = 64e6;
const PARALLEL = 3;

export interface UploadState {
  total: number;
  done: number;
  rejected: { name: string; code: string; message: string }[];
  active: boolean;
}
const IDLE: UploadState = { total: 0, done: 0, rejected: [], active: false };

/** At most 20 files and 64 MB a request; a larger file goes alone. */
export function groupFiles<T extends { size: number }>(files: readonly T[]): T[][] {
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const file of files) {
    if (group.length === FILES_A_REQUEST || (group.length > 0 && bytes + file.size > BYTES_A_REQUEST)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += file.size;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** Sends files in several requests at a time; what is refused is listed by name, the rest goes on. */
export function createUploads(deps: { api: Api; projectId: string; onDone: () => void }) {
  const state = signal<UploadState>(IDLE);

  async function sendGroup(files: File[]): Promise<UploadState['rejected']> {
    const form = new FormData();
    for (const file of files) form.append('files', file, file.webkitRelativePath || file.name);
    try {
      const response = await deps.api.request(
        addressOf('POST /api/projects/{id}/images', { path: { id: deps.projectId } }),
        { method: 'POST', body: form },
      );
      return ((await response.json()) as UploadReply).rejected;
    } catch (cause) {
      if (cause instanceof ApiError && cause.rejected.length > 0) return cause.rejected;
      const code = cause instanceof ApiError ? cause.code : 'UNKNOWN';
      const message = cause instanceof Error ? cause.message : String(cause);
      return files.map((file) => ({ name: file.name, code, message }));
    }
  }
  return {
    state,
    async start(files: readonly File[]): Promise<void> {
      if (files.length === 0 || state.peek().active) return;
      state.value = { ...IDLE, total: files.length, active: true };
      const groups = groupFiles(files);
      const lane = async (): Promise<void> => {
        for (let group = groups.shift(); group; group = groups.shift()) {
          const rejected = await sendGroup(group);
          const before = state.peek();
          state.value = {
            ...before,
            done: before.done + group.length,
            rejected: [...before.rejected, ...rejected],
          };
        }
      };
      await Promise.all(Array.from({ length: PARALLEL }, lane));
      state.value = { ...state.peek(), active: false };
      deps.onDone();
    },
    clear(): void {
      if (!state.peek().active) state.value = IDLE;
    },
  };
}
export type Uploads = ReturnType<typeof createUploads>;
