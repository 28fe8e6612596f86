import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { createGunzip } from 'node:zlib'

/** Maximum length of a line in characters: many times what the access log writes. A longer one is read as "". */
const MAX_LENGTH = 256 * 1024

/** The first bytes of a compressed file (RFC 1952 section 2.3.1). */
const GZIP = [0x1f, 0x8b]

const CHUNK = 256 * 1024

/**
 * The lines of a file, plain or gzip-compressed, in batches of a few thousand; "-" is the standard input. Rejects with the system's error
 * if a file cannot be read.
 */
export async function* logLines(file: string): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let tooLong = false
  for await (const chunk of unpacked(file === '-' ? process.stdin : createReadStream(file, { highWaterMark: CHUNK }))) {
    const lines = decoder.write(chunk).split('\n')
    const last = lines.pop() ?? ''
    if (lines.length === 0) rest += last
    else {
      lines[0] = tooLong ? '' : rest + (lines[0] ?? '')
      rest = last
      tooLong = false
      yield lines
    }
    if (rest.length <= MAX_LENGTH) continue
    rest = ''
    tooLong = true
  }
  if (rest !== '') yield [rest]
}

async function* unpacked(source: Readable): AsyncGenerator<Buffer> {
  const chunks = bytes(source)
  const first = await chunks.next()
  if (first.done === true) return
  const whole = put(first.value, chunks)
  yield* GZIP.every((byte, i) => first.value[i] === byte) ? gunzipped(whole) : whole
}

/** An error of either stream ends the iteration as well. */
function gunzipped(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip()
  pipeline(Readable.from(source), gunzip, () => {})
  return bytes(gunzip)
}

async function* put(first: Buffer, others: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* others
}

async function* bytes(source: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of source) if (Buffer.isBuffer(chunk)) yield chunk
}
