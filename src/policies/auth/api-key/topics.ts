import { defineTopic } from '../../../core/threads.ts'

/** When a key was last used: its SHA-256 digest in hexadecimal, and wall-clock milliseconds. */
export type KeyUse = readonly [sha256: string, at: number]

/** Asks each thread when it last saw the keys with these digests; keys that it has not seen are left out. */
export const keyUsesTopic = defineTopic<readonly string[], readonly KeyUse[]>('key-uses')

/** Has each thread ask the store again about the keys with these digests, regardless of what it has cached. */
export const forgetKeysTopic = defineTopic<readonly string[], null>('forget-keys')
