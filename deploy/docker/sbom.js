/**
 * Prints the bill of materials (CycloneDX) of the image: that of the npm packages, which is named first, with Node and the Debian
 * packages of the folder named second.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , packages = '', folder = ''] = process.argv
const bill = JSON.parse(readFileSync(packages, 'utf8'))

/** A field of dpkg's status file. */
function fieldOf(status, name) {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(status)?.[1] ?? ''
}

const debian = readdirSync(folder).map((file) => {
  const status = readFileSync(join(folder, file), 'utf8')
  const [name, version, arch] = ['Package', 'Version', 'Architecture'].map((field) => fieldOf(status, field))
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${arch}`
  return { type: 'library', 'bom-ref': purl, name, version, purl }
})
const version = process.versions.node
const purl = `pkg:generic/node@${version}`
const node = { type: 'platform', 'bom-ref': purl, name: 'node', version, purl }

bill.components.push(node, ...debian)
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`)
