/** One address of a service, as balancing and health checks see it. */
export interface Instance {
  /** "host:port", an IPv6 host in brackets. */
  readonly address: string
  /** Name or IP address to connect to, without brackets. */
  readonly host: string
  readonly port: number
  /** Share of the requests relative to the other instances of the service; 0 for none. */
  readonly weight: number
  /** In-flight requests of all workers for which it was picked. */
  readonly inFlight: number
  /** Its place on the health board. */
  readonly slot: number
}
