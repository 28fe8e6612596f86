import assert from 'node:assert/strict'
import { fstatSync, openSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { temporaryFolder } from '../../test/support/balancers.ts'
import { FileBody } from './file-body.ts'

const CONTENT = Buffer.alloc(200_000, 'abcdefghij')

async function setUp(t: TestContext, start = 0, end = CONTENT.length) {
  const file = join(await temporaryFolder(t), 'file')
  writeFileSync(file, CONTENT)
  const descriptor = openSync(file, 'r')
  const body = new FileBody(descriptor, start, end)
  /** Resolves when the file is closed. */
  const closed = async (): Promise<void> => {
    while (isOpen(descriptor)) await new Promise(setImmediate)
  }
  return { file, body, closed }
}

function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor)
    return true
  } catch {
    return false
  }
}

/** Takes a body, chunk by chunk as `takes` says; resolves with what came when it has ended. */
function take(body: FileBody, takes: (chunks: number) => boolean): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    body.pipe({
      write(chunk) {
        chunks.push(Buffer.from(chunk))
        return takes(chunks.length)
      },
      end: () => resolve(Buffer.concat(chunks)),
      fail: reject,
    })
  })
}

test('a range of a file is sent at the pace of the sink, and the file is closed', async (t) => {
  const { body, closed } = await setUp(t, 10, 150_000)
  assert.equal(body.length, 149_990)
  const taken = await take(body, () => {
    setImmediate(() => body.resume())
    return false
  })
  assert.deepEqual(taken, CONTENT.subarray(10, 150_000))
  await closed()
})

test('a chunk that the sink keeps is not overwritten', async (t) => {
  const { body } = await setUp(t)
  const chunks: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    body.pipe({
      write(chunk) {
        assert.ok(body.leave())
        chunks.push(chunk)
        return true
      },
      end: () => resolve(),
      fail: reject,
    })
  })
  assert.deepEqual(Buffer.concat(chunks), CONTENT)
})

test('a file that gets shorter while it is sent fails the body', async (t) => {
  const { file, body, closed } = await setUp(t)
  const taken = take(body, () => {
    truncateSync(file, 1000)
    return true
  })
  await assert.rejects(taken, /shorter/)
  await closed()
})

test('a cancelled body closes its file, whether or not it was being read', async (t) => {
  const [one, other] = [await setUp(t), await setUp(t)]
  one.body.cancel()
  await one.closed()
  let chunks = 0
  other.body.pipe({ write: () => ++chunks > 0, end: () => assert.fail(), fail: () => assert.fail() })
  other.body.cancel()
  await other.closed()
  assert.equal(chunks, 0)
})
