/**
 * How long a test waits for what must come, in milliseconds, before it fails and says what it waited for. Longer than a
 * machine with much else to do can take: it costs nothing but where something fails.
 */
export const PATIENCE = 120_000
