/** Exit codes of all commands, for scripts. This is the only list of them. */
export const exitCodes = {
  /** The command succeeded. */
  done: 0,
  /** The command failed: a problem of the configuration, an address that is in use, a request that was refused. */
  failed: 1,
  /** The command was asked for differences, and there are some. */
  different: 2,
  /** The command did what it could, but had to leave something out. */
  incomplete: 3,
  /** The command line is invalid (EX_USAGE of sysexits.h). */
  usage: 64,
} as const
