import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { writtenStateDir } from './written-state-dir.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
after(() => rmSync(folder, { recursive: true }))

for (const [text, expected] of [
  ['reload:\n  watch: true\n  stateDir: /var/lib/sallyport # kept there\nroutes: [', '/var/lib/sallyport'],
  ['reload: { watch: true, stateDir: /var/lib/sallyport }\nroutes: [{ id: a,', '/var/lib/sallyport'],
  ['reload: { stateDir: "/var/lib/a b", warm: 5s }', '/var/lib/a b'],
  ["reload: { stateDir: '/var/lib/a b' }", '/var/lib/a b'],
  ['{ "reload": { "stateDir": "/var/lib/sallyport", ', '/var/lib/sallyport'],
  ['reload: { stateDir: state }', join(folder, 'state')],
  ['reload: { stateDir: "${STATE}/sallyport" }', '/state/sallyport'],
  ['reload: { stateDir: "${NONE:-/var/lib/none}" }', '/var/lib/none'],
  ['reload: { stateDir: "${NONE}" }', null],
  ['reload: { stateDir: null }', null],
  ['# reload: { stateDir: /old }\n', null],
  ['# stateDir: /old\nreload:\n  stateDir: /new', '/new'],
  ['', null],
] as const)
  test(`the state folder in ${JSON.stringify(text)} is ${expected}`, () => {
    const file = join(folder, 'sallyport.yaml')
    writeFileSync(file, text)
    assert.equal(writtenStateDir(file, { STATE: '/state' }), expected)
  })

test('a missing file has no state folder', () => {
  assert.equal(writtenStateDir(join(folder, 'none.yaml'), {}), null)
})
