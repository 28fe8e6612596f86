import { readText } from '../core/read-text.ts'
import { readChain, readKey } from './key-pair.ts'

/** Maximum file size in bytes; Node's default authorities are a quarter of that. */
const MAX_SIZE = 1024 ** 2

/** Reads a file with certificates or a private key. Throws an Error that says why it is invalid, without its name. */
export function readPem(file: string, isKey: boolean): string {
  const text = readText(file, MAX_SIZE)
  const { problem } = isKey ? readKey(text) : readChain(text)
  if (problem !== null) throw new Error(problem)
  return text
}
