/** The methods and messages of services, as held in the options once the files have been read. */
export interface ServiceSchema {
  /** A FileDescriptorSet in base64. */
  readonly descriptors: string
  /** Full names of the services that are exposed unless the options name others. */
  readonly services: readonly string[]
}
