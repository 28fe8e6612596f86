import type { ChallengeType } from './challenge.ts'

const PORTS: Readonly<Record<ChallengeType, string>> = {
  'http-01': 'port 80, without TLS,',
  'tls-alpn-01': 'port 443',
  'dns-01': 'the DNS',
}

/** What to do about an error of ACME of that type (RFC 8555 section 6.7); undefined where its words are all there is to say. */
export function adviceFor(type: string, name: string, challenge: ChallengeType): string | undefined {
  const domain = name.replace('*.', '')
  switch (type) {
    case 'connection':
      return `the CA cannot connect to ${domain}: have ${PORTS[challenge]} of it lead to this gateway, through firewalls and load balancers`
    case 'dns':
      return `the CA finds no address for ${domain}: check its A, AAAA and NS records`
    case 'unauthorized':
    case 'incorrectResponse':
      return challenge === 'dns-01'
        ? `the CA does not find the record _acme-challenge.${domain}: check that the hook sets it where the name servers of ${domain} serve it, or raise propagation`
        : `somebody else has answered for ${domain}: check that its A and AAAA records lead to this gateway, and that ${PORTS[challenge]} is not answered by what is before it`
    case 'caa':
      return `a CAA record of ${domain} forbids the CA: allow it there`
    case 'rateLimited':
      return 'the CA has had too many orders: nothing is ordered from it until the time that it names; its staging directory is for trying out'
    case 'rejectedIdentifier':
      return `the CA issues nothing for ${name}: take it out of domains`
    case 'externalAccountRequired':
      return 'set eab to the key id and HMAC key that the CA gave you'
    case 'userActionRequired':
      return "the CA's terms have changed: agree to them as the error says"
    default:
      return undefined
  }
}
