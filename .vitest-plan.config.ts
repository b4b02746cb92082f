import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { root: '/work/agents/plan', include: ['{service,loadtest,scenarios}/test/**/*.test.ts'], pool: 'forks', maxWorkers: 1, testTimeout: 60000 } });
