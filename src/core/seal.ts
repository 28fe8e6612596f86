import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const MARK = 'sealed.1.'
const IV = 12
const TAG = 16

export interface SealOptions {
  /** Keys of 32 bytes: the first one encrypts, all of them decrypt. If empty, texts are stored unencrypted. */
  readonly keys: readonly Uint8Array[]
  /** Whether unencrypted text is accepted although there are keys: only for places that no one but the gateway's own user can write to. */
  readonly acceptsPlain: boolean
}

/** Encrypts data stored where others may read it, and detects data written by anyone else. */
export class Seal {
  private readonly options: SealOptions

  constructor(options: SealOptions) {
    this.options = options
  }

  /** `about` identifies the purpose of the text; it can only be opened for the same purpose. */
  seal(text: string, about: string): string {
    const [key] = this.options.keys
    if (key === undefined) return text
    const iv = randomBytes(IV)
    const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(about))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return MARK + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')
  }

  /** Returns the plaintext; null if none of the keys decrypts it. */
  open(sealed: string, about: string): string | null {
    const { keys, acceptsPlain } = this.options
    if (!sealed.startsWith(MARK)) return keys.length === 0 || acceptsPlain ? sealed : null
    const bytes = Buffer.from(sealed.slice(MARK.length), 'base64url')
    for (const key of keys) {
      const text = decipher(bytes, key, about)
      if (text !== null) return text
    }
    return null
  }
}

function decipher(bytes: Buffer, key: Uint8Array, about: string): string | null {
  if (bytes.length < IV + TAG) return null
  const cipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV), { authTagLength: TAG })
  cipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(IV, IV + TAG))
  try {
    return Buffer.concat([cipher.update(bytes.subarray(IV + TAG)), cipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
