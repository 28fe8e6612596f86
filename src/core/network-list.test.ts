import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { NetworkListError, readNetworkList } from './network-list.ts'
import { FileError } from './read-text.ts'

async function fileWith(t: TestContext, text: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-networks-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'list.txt'), text)
  return join(folder, 'list.txt')
}

test('a list has one network per line, comments, empty lines, and either line ending', async (t) => {
  const file = await fileWith(t, '# edge\n103.21.244.0/22\r\n\n  2400:cb00::/32 # v6\n192.0.2.1')
  assert.deepEqual(readNetworkList(file), ['103.21.244.0/22', '2400:cb00::/32', '192.0.2.1'])
})

test('an invalid line is reported with its number', async (t) => {
  for (const [text, message] of [
    ['10.0.0.0/8\n10.0.0.0/33\n', /line 2 is neither an IP address nor a network: "10\.0\.0\.0\/33"/],
    ['<html>', /line 1 is/],
    ['10.0.0.0/8 10.1.0.0/16', /line 1 is/],
  ] as const) {
    const file = await fileWith(t, text)
    assert.throws(() => readNetworkList(file), message)
  }
  assert.throws(() => readNetworkList('/nowhere/list.txt'), FileError)
})

test('empty and oversized lists are rejected', async (t) => {
  for (const text of ['', '# nothing\n', '10.0.0.1\n'.repeat(200_001)]) {
    const file = await fileWith(t, text)
    assert.throws(() => readNetworkList(file), NetworkListError)
  }
})
