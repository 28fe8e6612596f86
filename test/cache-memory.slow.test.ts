import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('support/cache-memory.ts', import.meta.url))
const MB = 1024 ** 2

for (const size of [165, 10_000, 20_000, 70_000, 700_000])
  test(`a full cache of 16 MB with replies of ${size} bytes uses no more memory than that`, async () => {
    const args = ['--expose-gc', script, String(16 * MB), String(size)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { held, evicted } = JSON.parse(stdout) as { held: number; evicted: number }
    assert.ok(evicted > 0, 'it is filled')
    assert.ok(held < 16 * MB, `${(held / MB).toFixed(1)} MB`)
  })
