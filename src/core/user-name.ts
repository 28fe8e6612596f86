import { userInfo } from 'node:os'

/** The user of this process. In a container it often has a number and no name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
