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

/** A transform stream that compresses. */
export type Compressor = Transform & Zlib

/** A content coding (RFC 9110 section 8.4.1) and how to apply it. */
export interface Coding {
  /** Compression levels, from the fastest to the smallest result. */
  readonly levels: { readonly min: number; readonly max: number; readonly usual: number }
  /** Creates a compressor for a streamed body. */
  create(level: number): Compressor
  /** Compresses a whole body synchronously. */
  compress(bytes: Buffer, level: number): Buffer
  /** The argument of `flush` that makes the compressor emit everything it has buffered. */
  readonly flush: number
}

/**
 * Size of the window in which a stream finds repetitions, as a power of two: 64 kB. Every slow client holds this much memory, and
 * four times as much would save at most 2% for text.
 */
const WINDOW = 16

/** All codings that replies can have. */
export const codings = {
  br: {
    levels: { min: 0, max: 11, usual: 4 },
    create: (level) => createBrotliCompress(brotliOptions(level)),
    compress: (bytes, level) => brotliCompressSync(bytes, brotliOptions(level, bytes.length)),
    flush: constants.BROTLI_OPERATION_FLUSH,
  },
  gzip: {
    levels: { min: 1, max: 9, usual: 5 },
    create: (level) => createGzip({ level }),
    compress: (bytes, level) => gzipSync(bytes, { level, chunkSize: outputSize(bytes.length) }),
    flush: constants.Z_SYNC_FLUSH,
  },
  zstd: {
    levels: { min: 1, max: 19, usual: 3 },
    create: (level) => createZstdCompress(zstdOptions(level)),
    compress: (bytes, level) =>
      zstdCompressSync(bytes, { ...zstdOptions(level, bytes.length), pledgedSrcSize: bytes.length }),
    flush: constants.ZSTD_e_flush,
  },
} as const satisfies Record<string, Coding>

/** Names of the codings in Accept-Encoding and Content-Encoding. */
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

/** How much is allocated for the result up front: text usually compresses to a quarter of its size. */
function outputSize(length: number): number {
  return Math.max(1024, length >> 1)
}
