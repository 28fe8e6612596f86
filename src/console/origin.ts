import type { Origin } from './answers.ts'

const WAYS: Readonly<Record<Origin['how'], string>> = {
  started: 'start of the process',
  reloaded: 'reload of the file',
  sent: 'change',
  went_back: 'rollback',
  expired: 'automatic rollback',
}

/** Why a configuration is in effect, and who asked for it. */
export function originOf(origin: Origin): string {
  const who = askerOf(origin)
  return who === null ? WAYS[origin.how] : `${WAYS[origin.how]} by ${who}`
}

/** Null if nobody has asked. */
function askerOf({ operator, by }: Origin): string | null {
  if (by === 'token') return 'the admin token'
  return by === 'machine' ? 'someone on its machine' : operator
}
