/** How a command ends, for scripts. The one place where the codes are listed; every command keeps to them. */
export const exitCodes = {
  /** It did what it was asked to do. */
  done: 0,
  /** It could not: a problem of the configuration, an address that is taken, a request that was refused. */
  failed: 1,
  /** It was asked for differences, and there are some. */
  different: 2,
  /** It did what it could, and had to leave something out. */
  incomplete: 3,
  /** The command line cannot be understood (EX_USAGE of sysexits.h). */
  usage: 64,
} as const
