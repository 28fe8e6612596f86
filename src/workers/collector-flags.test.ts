import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { promisify } from 'node:util'
import { COLLECTS_ALONE, isBetterAlone } from './collector-flags.ts'

const execute = promisify(execFile)

test('threads collect garbage alone where helper threads would take the only core away from them', () => {
  assert.equal(isBetterAlone(1, Infinity), true)
  assert.equal(isBetterAlone(8, 1), true)
  assert.equal(isBetterAlone(8, 1.5), true)
  assert.equal(isBetterAlone(2, Infinity), false)
  assert.equal(isBetterAlone(8, 2), false)
})

test('V8 has these flags', async () => {
  const { stdout } = await execute(process.execPath, ['--v8-options'])
  for (const name of [COLLECTS_ALONE, '--concurrent-marking', '--memory-reducer-delay-ms'])
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
})
