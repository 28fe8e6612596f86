/** Loaded before every test file: one that is done and still holds something open fails, and says what, instead of hanging. */
import { after } from 'node:test'
import { isMainThread } from 'node:worker_threads'

const GRACE = 2_000

const isTestFile = process.env['NODE_TEST_CONTEXT'] !== undefined && process.argv[1]?.endsWith('.test.ts')

if (isTestFile && isMainThread) {
  after(() => {
    setTimeout(() => {
      console.error(`${process.argv[1]} is done but left open: ${process.getActiveResourcesInfo().join(', ')}`)
      process.exit(1)
    }, GRACE).unref()
  })
}
