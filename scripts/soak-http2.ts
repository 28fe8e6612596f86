/** Runs the HTTP/2 property tests with five hundred times as many cases as `npm test`, a million for most: about half an hour. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', 'test/http2/hpack.property.test.ts', 'test/http2/exchange.property.test.ts'],
  {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, SALLYPORT_TEST_CASES: '500' },
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
