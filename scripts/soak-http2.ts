/** Runs the properties of HTTP/2 with a hundred times as many cases as the tests do, a million of most: half an hour or so. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', 'test/http2/hpack-properties.test.ts', 'test/http2/exchange-properties.test.ts'],
  {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, SALLYPORT_TEST_CASES: '100' },
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
