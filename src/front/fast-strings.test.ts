import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { makeStringsFast } from './fast-strings.ts'

/** Asks V8 whether String.prototype is in its fast mode. */
function stringsAreFast(): boolean {
  setFlagsFromString('--allow-natives-syntax')
  return runInThisContext('%HasFastProperties(String.prototype)') === true
}

test('a class that extends String costs the methods of strings their speed, until they are made fast', () => {
  void class extends String {}
  assert.equal(stringsAreFast(), false)
  makeStringsFast()
  assert.equal(stringsAreFast(), true)
})
