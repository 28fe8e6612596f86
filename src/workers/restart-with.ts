/**
 * Replaces this process with one that Node starts with a further flag; its id, arguments, environment and standard streams stay the
 * same. Returns if it already has the flag, or if that is impossible: other descriptors would be closed, so sockets and files passed by
 * the parent would be lost.
 */
export function restartWith(flag: string): void {
  const { execPath, execArgv, argv, argv0, env } = process
  const hasDescriptors = Boolean(env['LISTEN_FDS']) || process.channel !== undefined || argv.some(isDescriptor)
  if (execArgv.includes(flag) || hasDescriptors) return
  try {
    process.execve?.(execPath, [argv0, flag, ...execArgv, ...argv.slice(1)])
  } catch {
    // Not on this system, or not allowed.
  }
}

/** Whether the path stands for an open descriptor, such as /dev/fd/63. */
function isDescriptor(path: string): boolean {
  return /\/fd\/\d/.test(path)
}
