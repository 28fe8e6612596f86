/** Whether a configuration file is a code module. */
export function isModule(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file)
}
