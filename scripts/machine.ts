/** The properties of this machine that matter for installing. */
export interface Machine {
  readonly has: (command: string) => boolean
  readonly debian: boolean
  readonly root: boolean
  /** Such as linux-x64. */
  readonly platform: string
}
