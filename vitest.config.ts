import { defineConfig } from 'vitest/config'

/** Tests that replace modules, and must not meet those that others have loaded. */
const apart = 'test/**/*.apart.test.ts'
/** What people install is made, installed and run, which takes minutes: in CI, and where somebody asks for it. */
const packages = ['test/package/*.test.ts', 'test/packaging/*.test.ts']

export default defineConfig({
  test: {
    // Processes, not threads: tests start servers, hash files and open SQLite. Four: on two cores, since tests
    // wait for more than half of their time: for timers, disks and other programs.
    pool: 'forks',
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globals: false,
    restoreMocks: true,
    // Modules as they were compiled: on two cores the compiler would take them from the tests.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.cache/vitest' },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text', 'html'] },
    projects: [
      // The files of a process share what they import: loading it anew for each took a third of the time.
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [apart, ...packages],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'apart', include: [apart] } },
      { extends: true, test: { name: 'packages', include: packages, isolate: false } },
    ],
  },
})
