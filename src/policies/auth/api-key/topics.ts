import { defineTopic } from '../../../core/threads.ts'

/** When a key was used last: its SHA-256 digest in hexadecimal, and wall-clock milliseconds. */
export type KeyUse = readonly [sha256: string, at: number]

/** Asks each thread when it has seen the keys with those digests last; those that it has not seen are left out. */
export const keyUsesTopic = defineTopic<readonly string[], readonly KeyUse[]>('key-uses')

/** Has each thread ask the store anew about the keys with those digests, whatever it knew of them. */
export const forgetKeysTopic = defineTopic<readonly string[], null>('forget-keys')
