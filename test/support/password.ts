import { randomBytes, scryptSync } from 'node:crypto'

const [LN, BLOCK_SIZE, PARALLELIZATION] = [14, 8, 1]

/** A digest of the password of the least cost that a configuration may have: a sixth of what `sallyport password` makes. */
export function quickDigestOf(password: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(password, salt, 32, {
    cost: 2 ** LN,
    blockSize: BLOCK_SIZE,
    parallelization: PARALLELIZATION,
  })
  const [first, second] = [salt, hash].map((octets) => octets.toString('base64').replace(/=+$/, ''))
  return `$scrypt$ln=${LN},r=${BLOCK_SIZE},p=${PARALLELIZATION}$${first}$${second}`
}
