/**
 * Loaded before every test file of `npm test` and `npm run test:slow`: properties draw the same cases in every run, so
 * that a failure comes from the change. `SALLYPORT_TEST_SEED=N` draws others.
 */
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ seed: Number(process.env['SALLYPORT_TEST_SEED'] ?? '1') })
}
