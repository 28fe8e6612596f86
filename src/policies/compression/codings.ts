import {
  brotliCompressSync,
  type BrotliOptions,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  type Zlib,
  zstdCompressSync,
  type ZstdOptions,
} from 'node:zlib'
import type { Transform } from 'node:stream'

/** Takes octets in and gives compressed ones out. */
export type Compressor = Transform & Zlib

/** A content coding (RFC 9110 section 8.4.1) with how to apply it. */
export interface Coding {
  /** Its level, from the least work to the smallest result. */
  readonly levels: { readonly min: number; readonly max: number; readonly usual: number }
  /** A compressor for a body that comes piece by piece. */
  create(level: number): Compressor
  /** All at once. */
  compress(octets: Buffer, level: number): Buffer
  /** Tells the compressor to give out all that it has, with `flush`. */
  readonly flush: number
}

/**
 * How far back a stream looks for what it has seen already, as a power of two: 64 kB. It is memory that every client
 * that reads slowly would hold, and of text four times as much saves 2% at most.
 */
const WINDOW = 16

/** Every coding that replies can have. */
export const codings = {
  br: {
    levels: { min: 0, max: 11, usual: 4 },
    create: (level) => createBrotliCompress(brotliOptions(level)),
    compress: (octets, level) => brotliCompressSync(octets, brotliOptions(level, octets.length)),
    flush: constants.BROTLI_OPERATION_FLUSH,
  },
  gzip: {
    levels: { min: 1, max: 9, usual: 5 },
    create: (level) => createGzip({ level }),
    compress: (octets, level) => gzipSync(octets, { level, chunkSize: outputSize(octets.length) }),
    flush: constants.Z_SYNC_FLUSH,
  },
  zstd: {
    levels: { min: 1, max: 19, usual: 3 },
    create: (level) => createZstdCompress(zstdOptions(level)),
    compress: (octets, level) =>
      zstdCompressSync(octets, { ...zstdOptions(level, octets.length), pledgedSrcSize: octets.length }),
    flush: constants.ZSTD_e_flush,
  },
} as const satisfies Record<string, Coding>

/** Names of the codings as they stand in Accept-Encoding and Content-Encoding. */
export type CodingName = keyof typeof codings

function brotliOptions(level: number, length = 0): BrotliOptions {
  return {
    ...(length > 0 && { chunkSize: outputSize(length) }),
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: WINDOW,
      [constants.BROTLI_PARAM_SIZE_HINT]: length,
    },
  }
}

function zstdOptions(level: number, length = 0): ZstdOptions {
  return {
    ...(length > 0 && { chunkSize: outputSize(length) }),
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW },
  }
}

/** What is allocated for the result at once: text comes out at a quarter of its size. */
function outputSize(length: number): number {
  return Math.max(1024, length >> 1)
}
