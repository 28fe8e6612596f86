/** Whether a configuration file is one of code. */
export function isModule(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file)
}
