import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('support/cache-memory.ts', import.meta.url))

for (const [size, count] of [
  [165, 5_000],
  [10_000, 1_000],
  [14_500, 1_000],
  [20_000, 1_000],
  [70_000, 300],
  [700_000, 30],
] as const)
  test(`replies of ${size} bytes take the memory that the store accounts for, also once they were handed out`, async () => {
    const args = ['--expose-gc', script, String(size), String(count)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { held, accounted } = JSON.parse(stdout) as { held: number; accounted: number }
    const ratio = held / accounted
    assert.ok(ratio > 0.7 && ratio < 1.25, `held ${held} bytes, accounted for ${accounted}`)
  })
