import { readText } from '../core/read-text.ts'
import { readChain, readKey } from './key-pair.ts'

/** Octets of a file: the authorities that Node knows have a quarter of that. */
const LARGEST = 1024 ** 2

/** The text of a file with certificates, or with a private key. Throws an Error that says why it is none, without its name. */
export function readPem(file: string, isKey: boolean): string {
  const text = readText(file, LARGEST)
  const { problem } = isKey ? readKey(text) : readChain(text)
  if (problem !== null) throw new Error(problem)
  return text
}
