import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.ts'

/** The most bytes of a body that a service reads. */
export const bodyLimit = 64 * 1024

/** Reads a JSON or form body; throws a Problem with 400 (not JSON), 413 (too large) or 415 (another type). */
export async function readBody(request: IncomingMessage, form: boolean): Promise<unknown> {
  const wanted = form ? 'application/x-www-form-urlencoded' : 'application/json'
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== wanted) throw new Problem(415, `The body must be ${wanted}.`, { headers: { Accept: wanted } })
  const text = await readText(request)
  return form ? Object.fromEntries(new URLSearchParams(text)) : parseJson(text)
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  const pieces: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false })
  for await (const chunk of pieces) {
    size += chunk.length
    if (size > bodyLimit) throw new Problem(413, `The body is larger than ${bodyLimit} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'The body is not JSON.')
  }
}
