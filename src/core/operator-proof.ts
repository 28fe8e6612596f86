/** How an operator was identified: "session" with a password, "oidc" at the provider, "token" with the token; "machine" if no login is required. */
export const operatorProofs = ['session', 'oidc', 'token', 'machine'] as const

export type OperatorProof = (typeof operatorProofs)[number]
