import { defineConfig } from 'vitest/config'

/** `unit` needs nothing; `integration` an engine, the images and tmux; `faults` also root and dockerd (see CONTRIBUTING.md). */
export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['coordinator/contract/**/*.ts', 'coordinator/domain/**/*.ts'],
      reporter: ['text-summary'],
      thresholds: { lines: 95 },
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['coordinator/**/*.test.ts', 'parent/**/*.test.ts', 'images/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
