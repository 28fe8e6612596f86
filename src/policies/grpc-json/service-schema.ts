/** What methods and messages a service has, as options hold it once the files were read. */
export interface ServiceSchema {
  /** A FileDescriptorSet in base64. */
  readonly descriptors: string
  /** Full names of the services that are called unless the options name others. */
  readonly services: readonly string[]
}
