/** RFC 1035 section 2.3.4; also bounds the work a long Host header can cause. */
const MAX_NAME_LENGTH = 253

/** The name in a Host header: lower case, without port and trailing dot; "" if it exceeds the maximum length of a name. */
export function hostName(host: string): string {
  const colon = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  let end = colon > 0 ? colon : host.length
  if (host.charCodeAt(end - 1) === 0x2e) end--
  return end > MAX_NAME_LENGTH ? '' : host.slice(0, end).toLowerCase()
}
