/** Why credentials are not accepted, in the words sent to the client; plain ASCII without quotes (RFC 6750 section 3). */
const reasons = {
  repeated: 'The credentials are given more than once',
  kind: 'The kind of token is not accepted here',
  malformed: 'The token is malformed',
  algorithm: 'The algorithm of the token is not accepted',
  critical: 'The token asks for an extension that is not supported',
  'unknown-key': 'The key that signed the token is not known',
  signature: 'The signature of the token is not valid',
  claims: 'The claims of the token are malformed',
  expired: 'The token has expired',
  early: 'The token is not valid yet',
  issuer: 'The issuer of the token is not accepted',
  audience: 'The token is meant for another audience',
  type: 'The type of the token is not accepted',
  subject: 'The token does not identify anyone',
  inactive: 'The token has been revoked or has expired',
  key: 'The API key is not valid',
  'expired-key': 'The API key has expired',
  password: 'The user name or the password is not valid',
  'malformed-password': 'The user name and the password are malformed',
  certificate: 'The client certificate is not accepted here',
  'expired-certificate': 'The client certificate has expired',
  nameless: 'The client certificate does not identify anyone',
  unbound: 'The token is bound to a client certificate that was not presented',
  'malformed-signature': 'Signature and Signature-Input are malformed, or cover something that is not supported here',
  'unknown-signer': 'The key of the signature is not known',
  'wrong-signature': 'The signature does not match the request',
  uncovered: 'The signature does not cover all required components',
  'old-signature': 'The signature is too old, or from the future',
  replayed: 'The signature has been used before',
  digest: 'The signature needs a Content-Digest that matches the body',
  login: 'The login has failed, or was begun too long ago or in another browser: begin it again',
  session: 'The session has ended: log in again',
} as const

export type CredentialReason = keyof typeof reasons

/** Thrown for credentials that are not accepted; `message` is for the client and contains nothing from the credentials. */
export class CredentialError extends Error {
  readonly reason: CredentialReason

  constructor(reason: CredentialReason, cause?: unknown) {
    // The stack trace is of no use here, and collecting it would make invalid requests more expensive.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(reasons[reason], { cause })
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'CredentialError'
    this.reason = reason
  }
}
