/**
 * host [":" port] of RFC 3986 section 3.2.2 without userinfo: a registered name, an IPv4 address, or an IPv6 address in
 * brackets. Percent-encoded names and sub-delims are refused: no real service has such a name, only attacks use them.
 */
const AUTHORITY = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/

/** Whether the text is a host with an optional port. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text)
}
