import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const MARK = 'sealed.1.'
const IV = 12
const TAG = 16

export interface SealOptions {
  /** Keys of 32 octets: the first one seals, and each opens. None: texts are kept as they are. */
  readonly keys: readonly Uint8Array[]
  /** Whether a text counts that nobody has sealed although there are keys: where only the gateway's own user can have written it. */
  readonly acceptsPlain: boolean
}

/** Encrypts what is kept where others may read it, and tells whether somebody else has written it. */
export class Seal {
  private readonly options: SealOptions

  constructor(options: SealOptions) {
    this.options = options
  }

  /** `about` says what the text is: it can be opened as that alone. */
  seal(text: string, about: string): string {
    const [key] = this.options.keys
    if (key === undefined) return text
    const iv = randomBytes(IV)
    const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(about))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return MARK + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')
  }

  /** The text; null where none of the keys opens it. */
  open(sealed: string, about: string): string | null {
    const { keys, acceptsPlain } = this.options
    if (!sealed.startsWith(MARK)) return keys.length === 0 || acceptsPlain ? sealed : null
    const octets = Buffer.from(sealed.slice(MARK.length), 'base64url')
    for (const key of keys) {
      const text = decipher(octets, key, about)
      if (text !== null) return text
    }
    return null
  }
}

function decipher(octets: Buffer, key: Uint8Array, about: string): string | null {
  if (octets.length < IV + TAG) return null
  const cipher = createDecipheriv(ALGORITHM, key, octets.subarray(0, IV), { authTagLength: TAG })
  cipher.setAAD(Buffer.from(about)).setAuthTag(octets.subarray(IV, IV + TAG))
  try {
    return Buffer.concat([cipher.update(octets.subarray(IV + TAG)), cipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
