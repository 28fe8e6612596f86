import type { ChallengeType } from './challenge.ts'

const PORTS: Readonly<Record<ChallengeType, string>> = {
  'http-01': 'port 80, without TLS,',
  'tls-alpn-01': 'port 443',
  'dns-01': 'the DNS',
}

/** What to do about an ACME error of that type (RFC 8555 section 6.7); undefined if the error speaks for itself. */
export function adviceFor(type: string, name: string, challenge: ChallengeType): string | undefined {
  const domain = name.replace('*.', '')
  switch (type) {
    case 'connection':
      return `the CA cannot connect to ${domain}: make sure that ${PORTS[challenge]} reaches this gateway through firewalls and load balancers`
    case 'dns':
      return `the CA found no address for ${domain}: check its A, AAAA and NS records`
    case 'unauthorized':
    case 'incorrectResponse':
      return challenge === 'dns-01'
        ? `the CA cannot find the record _acme-challenge.${domain}: check that the hook sets it on the name servers that serve ${domain}, or raise propagation`
        : `another server answered for ${domain}: check that its A and AAAA records point to this gateway, and that no proxy in front of it answers ${PORTS[challenge]}`
    case 'caa':
      return `a CAA record of ${domain} forbids this CA: allow it there`
    case 'rateLimited':
      return 'the CA limits the rate of orders: the gateway orders nothing until the time that the CA gave; use the staging directory of the CA for tests'
    case 'rejectedIdentifier':
      return `the CA does not issue certificates for ${name}: remove it from domains`
    case 'externalAccountRequired':
      return 'set eab to the key ID and HMAC key that the CA gave you'
    case 'userActionRequired':
      return "the CA's terms have changed: agree to them as the error says"
    default:
      return undefined
  }
}
