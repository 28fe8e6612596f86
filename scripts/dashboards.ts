/** Writes deploy/grafana/dashboards from their source; with --check, it only fails if a file is out of date. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dashboards } from '../deploy/grafana/source/index.ts'

const folder = new URL('../deploy/grafana/dashboards/', import.meta.url)
const files = new Map(
  Object.entries(dashboards).map(([name, dashboard]) => [`${name}.json`, `${JSON.stringify(dashboard, null, 2)}\n`]),
)
const others = (await readdir(folder)).filter((name) => !files.has(name))

if (process.argv.includes('--check')) {
  const stale = [...others]
  for (const [name, current] of files) {
    const text = await readFile(new URL(name, folder), 'utf8').catch(() => '')
    if (text !== current) stale.push(name)
  }
  for (const name of stale) console.error(`deploy/grafana/dashboards/${name} is out of date`)
  if (stale.length > 0) {
    console.error('Run "node scripts/dashboards.ts"')
    process.exitCode = 1
  }
} else {
  for (const name of others) await rm(new URL(name, folder))
  for (const [name, current] of files) await writeFile(new URL(name, folder), current)
}
