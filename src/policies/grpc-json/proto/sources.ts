import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path'
import type { FileJson } from './file-json.ts'
import { googleFiles } from './google.ts'
import { parseProto } from './parse-proto.ts'
import type { OpenFile } from '../../policy.ts'

/** Files that are part of Protobuf: their descriptors are built in. */
const OF_PROTOBUF = 'google/protobuf/'

/** .proto files with everything that they import. */
export interface Sources {
  /** Sorted so that imported files come first. */
  readonly files: readonly FileJson[]
  /** The imported files of Protobuf itself, such as "google/protobuf/timestamp.proto". */
  readonly ofProtobuf: ReadonlySet<string>
  /** The names of those `files` that were requested, as opposed to imported. */
  readonly named: ReadonlySet<string>
}

/**
 * Reads .proto files and everything they import. Imports are paths relative to one of the folders. Rejects with an Error that says
 * what cannot be found or read, or is wrong.
 */
export async function readSources(
  paths: readonly string[],
  folders: readonly string[],
  open: OpenFile,
): Promise<Sources> {
  const loading = new Loading(folders, open)
  for (const path of paths) await loading.addNamed(path)
  return loading
}

class Loading implements Sources {
  readonly files: FileJson[] = []
  readonly ofProtobuf = new Set<string>()
  readonly named = new Set<string>()
  private readonly folders: readonly string[]
  private readonly open: OpenFile
  /** File path -> its name in imports; null while its imports are being read. */
  private readonly names = new Map<string, string | null>()

  constructor(folders: readonly string[], open: OpenFile) {
    this.folders = folders
    this.open = open
  }

  /** Adds a file named in the configuration. */
  async addNamed(path: string): Promise<void> {
    const place = normalize(path)
    const bytes = await this.open(place)
    if (bytes === null) throw new Error(`${JSON.stringify(path)} cannot be read: there is no such file`)
    this.named.add(await this.add(place, this.nameOf(place), bytes.toString('utf8')))
  }

  /** The path relative to the folder that contains it. */
  private nameOf(place: string): string {
    const below = this.folders
      .map((folder) => relative(folder, place))
      .find((path) => !path.startsWith('..') && !isAbsolute(path))
    return (below ?? place).split(sep).join('/')
  }

  private async add(place: string, name: string, source: string): Promise<string> {
    const known = this.names.get(place)
    if (known === null) throw new Error(`${name} imports itself, through other files`)
    if (known !== undefined) return known
    this.names.set(place, null)
    const file = parseProto(source, name)
    for (const [i, imported] of file.dependency.entries())
      file.dependency[i] = await this.addImport(imported, name, dirname(place))
    this.files.push(file)
    this.names.set(place, name)
    return name
  }

  private async addImport(imported: string, by: string, folder: string): Promise<string> {
    if (isAbsolute(imported) || imported.split('/').includes('..'))
      throw new Error(`${by} imports ${JSON.stringify(imported)}; expected a path below a folder`)
    if (imported.startsWith(OF_PROTOBUF)) {
      this.ofProtobuf.add(imported)
      return imported
    }
    for (const each of new Set([...this.folders, folder])) {
      const place = join(each, imported)
      const bytes = await this.open(place)
      if (bytes !== null) return this.add(place, imported, bytes.toString('utf8'))
    }
    const source = googleFiles.get(imported)
    if (source !== undefined) return this.add(imported, imported, source)
    const searched = this.folders.map((each) => JSON.stringify(each)).join(', ')
    throw new Error(
      `${by} imports ${JSON.stringify(imported)}, which is not in ${searched}; add its folder under folders`,
    )
  }
}
