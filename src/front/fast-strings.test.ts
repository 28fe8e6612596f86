import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'

/** Asks V8 whether String.prototype is in its fast mode, before and after; in a process of its own, as others may have made it fast. */
const SCRIPT = `
void class extends String {}
const before = %HasFastProperties(String.prototype)
const { makeStringsFast } = await import('${new URL('fast-strings.ts', import.meta.url).href}')
makeStringsFast()
console.log(before, %HasFastProperties(String.prototype))
`

test('a subclass of String slows down string methods until they are made fast', () => {
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', SCRIPT]
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), 'false true\n')
})
