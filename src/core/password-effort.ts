import { argon2, scrypt } from 'node:crypto'

/** A way to hash passwords, with its cost. */
export interface PasswordEffort {
  /** The algorithm with its parameters, in PHC form. */
  readonly name: string
  /** Memory used at a time, and written in total, in bytes. */
  readonly memory: number
  readonly work: number
  /** Hashes a password. Runs in the thread pool. */
  derive(password: string, salt: Buffer, length: number): Promise<Buffer>
}

const KIBIBYTE = 1024

/** argon2id (RFC 9106): `memory` in KiB, number of passes, and number of lanes. */
export function argon2idEffort(memory: number, passes: number, parallelism: number): PasswordEffort {
  return {
    name: `argon2id$v=19$m=${memory},t=${passes},p=${parallelism}`,
    memory: memory * KIBIBYTE,
    work: memory * KIBIBYTE * passes,
    derive: (message, nonce, tagLength) =>
      called((done) => argon2('argon2id', { message, nonce, parallelism, tagLength, memory, passes }, done)),
  }
}

/** scrypt (RFC 7914): the logarithm of the cost N to base 2, block size, and parallelization. */
export function scryptEffort(ln: number, blockSize: number, parallelization: number): PasswordEffort {
  const cost = 2 ** ln
  const memory = 128 * cost * blockSize
  // Node's accounting includes somewhat more than the blocks.
  const options = { cost, blockSize, parallelization, maxmem: 2 * memory }
  return {
    name: `scrypt$ln=${ln},r=${blockSize},p=${parallelization}`,
    memory,
    work: memory * parallelization,
    derive: (password, salt, length) => called((done) => scrypt(password, salt, length, options, done)),
  }
}

function called(run: (done: (error: Error | null, hash: Buffer) => void) => void): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  run((error, hash) => (error === null ? resolve(hash) : reject(error)))
  return promise
}
