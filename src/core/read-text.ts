import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { codeOf, messageOf } from './error-facts.ts'
import { userName } from './user-name.ts'

/** Why a file cannot be used, without its name: "no such file". */
export class FileError extends Error {
  /** Whether the file does not exist. */
  readonly missing: boolean

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.missing = message === NONE
  }
}

const NONE = 'no such file'
const FOLDER = 'is a folder; expected a file in it'

const KIBIBYTE = 1024

/** Reads a small text file and strips the byte order mark; `max` is the maximum size in bytes. Throws FileError. */
export function readText(file: string, max: number): string {
  // Non-blocking: opening a pipe would otherwise block the process until it has a writer.
  const descriptor = open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    return textOf(readUpTo(descriptor, max))
  } finally {
    closeSync(descriptor)
  }
}

function open(file: string, flags: number): number {
  try {
    return openSync(file, flags)
  } catch (error) {
    throw fileErrorOf(error)
  }
}

function readUpTo(descriptor: number, max: number): Buffer {
  const stats = fstatSync(descriptor)
  if (stats.isDirectory()) throw new FileError(FOLDER)
  if (!stats.isFile()) throw new FileError('is not a regular file')
  const buffer = Buffer.alloc(Math.min(stats.size, max) + 1)
  let length = 0
  while (length < buffer.length) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, null)
    if (read === 0) return buffer.subarray(0, length)
    length += read
  }
  if (stats.size > max) throw new FileError(`is larger than ${max / KIBIBYTE} KiB`)
  throw new FileError('changed while it was read: try again')
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new FileError('is not UTF-8 text', error)
  }
}

/** Why a file that is written relative to another cannot be read, in a few words that follow the written path. */
export function whyUnreadable(error: unknown, file: string): string {
  const { missing, message } = fileErrorOf(error)
  return missing ? `cannot be read: there is no file ${file}` : message
}

/** Why reading a file has failed, from the system's error. */
export function fileErrorOf(error: unknown): FileError {
  return new FileError(reasonOf(error), error)
}

/** System error texts are meaningless to most users; this says what to do. */
function reasonOf(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return NONE
  if (code === 'EISDIR') return FOLDER
  if (code === 'EACCES' || code === 'EPERM') return `cannot be read by the user ${userName()}: change its owner or mode`
  return `cannot be read: ${messageOf(error)}`
}
