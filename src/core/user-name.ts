import { userInfo } from 'node:os'

/** The user running this process. In a container it often has a number but no name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
