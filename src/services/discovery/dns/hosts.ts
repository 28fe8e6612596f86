import { isIP } from 'node:net'

/** The addresses of a name in the text of /etc/hosts, for the given family (4 or 6). */
export function addressesIn(hosts: string, name: string, family: 4 | 6): readonly string[] {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) !== family || address.includes('%')) return []
    return names.some((each) => each.toLowerCase() === wanted) ? [address] : []
  })
}
