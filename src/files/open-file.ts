import { close, constants, fstat, open } from 'node:fs'
import { codeOf } from '../core/error-facts.ts'
import { etagOf, type FoundFile } from './found.ts'

/** Does not follow a link that has replaced the file, and does not block on something that never opens. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Errors that mean that there is no such file, or none for clients. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'EINVAL'])

/** Whether a system error means that there is no such file for clients. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error))
}

/** Opens a file that was found: resolves with its descriptor, or null if another file has replaced it since. */
export function openFile({ place, etag, coding }: FoundFile): Promise<number | null> {
  return new Promise((resolve, reject) => {
    open(place, READ_FLAGS, (error, descriptor) => {
      if (error !== null) return isAbsent(error) ? resolve(null) : reject(error)
      fstat(descriptor, (failure, facts) => {
        if (failure === null && facts.isFile() && etagOf(facts, coding) === etag) return resolve(descriptor)
        close(descriptor)
        if (failure === null) resolve(null)
        else reject(failure)
      })
    })
  })
}
