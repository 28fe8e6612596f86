import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'
import { collectorFlags, MARKS_ITSELF } from './collector-flags.ts'

test('threads mark garbage themselves where helper threads would take the only core away from them', () => {
  const marksItself = (cores: number, quota: number): boolean => collectorFlags(cores, quota).includes(MARKS_ITSELF)
  assert.equal(marksItself(1, Infinity), true)
  assert.equal(marksItself(8, 1), true)
  assert.equal(marksItself(8, 1.5), true)
  assert.equal(marksItself(2, Infinity), false)
  assert.equal(marksItself(8, 2), false)
})

test('V8 has these flags', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--v8-options'])
  for (const flag of collectorFlags(1, 1)) {
    const name = flag.replace(/^--(no-)?/, '').replace(/=.*/, '')
    assert.match(stdout, new RegExp(`^  --${name} `, 'm'))
  }
})
