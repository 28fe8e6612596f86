/** One block of a PEM file (RFC 7468): its label, such as CERTIFICATE, and its complete text. */
export interface PemBlock {
  readonly label: string
  readonly text: string
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n(?:(?!-)[^\n]*\n)*-----END \1-----/g

/** All blocks of a PEM text in order; text between them is ignored. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([block, label = '']) => ({ label, text: `${block}\n` }))
}

/** Whether a label denotes a private key: PKCS #8, PKCS #1 or SEC 1. */
export function isPrivateKey(label: string): boolean {
  return label.endsWith('PRIVATE KEY')
}

/** Whether the block is a private key protected by a passphrase, in either of the two formats. */
export function isEncrypted({ label, text }: PemBlock): boolean {
  return isPrivateKey(label) && (label.startsWith('ENCRYPTED') || text.includes('Proc-Type: 4,ENCRYPTED'))
}
