import { SyntaxKind } from 'typescript/unstable/ast'
import {
  isIdentifier,
  isImportTypeNode,
  isQualifiedName,
  isTypeReferenceNode,
  isExpressionWithTypeArguments,
} from 'typescript/unstable/ast/is'
import type { Node } from 'typescript/unstable/ast'
import { API, type Checker, type Project, type Symbol as Named, SymbolFlags } from 'typescript/unstable/sync'

/** Problems with the types that a package exports. */
export interface PublicTypes {
  /** Types that an export mentions but no entry point exports: "Exchange mentions PathForms". */
  readonly missing: readonly string[]
  /** Exports without a docstring. */
  readonly undocumented: readonly string[]
}

/** Walks the exports of the entry points of the project with that tsconfig.json; `inside` says which files belong to the package. */
export function readPublicTypes(
  tsconfig: string,
  entryPoints: readonly string[],
  inside: (path: string) => boolean,
): PublicTypes {
  const api = new API()
  try {
    const snapshot = api.updateSnapshot({ openProjects: [tsconfig] })
    const project = snapshot.getProject(tsconfig) ?? snapshot.getProjects()[0]
    if (project === undefined) throw new Error(`there is no project at ${tsconfig}`)
    return walk(project, entryPoints, inside)
  } finally {
    api.close()
  }
}

function walk(project: Project, entryPoints: readonly string[], inside: (path: string) => boolean): PublicTypes {
  const { checker, program } = project
  const exported = entryPoints.flatMap((entry) => {
    const file = program.getSourceFile(entry)
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`${entry} is no module of the project`)
    return checker.getExportsOfModule(module).map((symbol) => original(symbol, checker))
  })
  const own = exported.filter((symbol) => symbol.declarations.some(({ path }) => inside(path)))
  const known = new Set(own.map((symbol) => symbol.id))
  const missing = new Set<string>()
  for (const symbol of own)
    for (const handle of symbol.declarations) {
      const declaration = handle.resolve(project)
      if (declaration === undefined) continue
      visit(declaration, (name) => {
        const found = checker.getSymbolAtLocation(name)
        if (found === undefined) return
        const mentioned = original(found, checker)
        const isOfPackage = mentioned.declarations.some(({ path }) => inside(path))
        if (!isOfPackage || known.has(mentioned.id) || (mentioned.flags & SymbolFlags.TypeParameter) !== 0) return
        missing.add(`${symbol.name} mentions ${mentioned.name}`)
      })
    }
  return {
    missing: [...missing].sort(),
    undocumented: own.filter((symbol) => symbol.getDocumentationComment(checker) === '').map(({ name }) => name),
  }
}

function original(symbol: Named, checker: Checker): Named {
  return (symbol.flags & SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
}

/** Reports each type name below a declaration; private members have none in a declaration. */
function visit(node: Node, tell: (name: Node) => void): void {
  if (isTypeReferenceNode(node)) tell(lastName(node.typeName))
  if (isExpressionWithTypeArguments(node) && isIdentifier(node.expression)) tell(node.expression)
  if (isImportTypeNode(node) && node.qualifier !== undefined) tell(lastName(node.qualifier))
  // The type of a value is documented with the value, and constructor parameters concern only the package itself.
  if (node.kind === SyntaxKind.TypeQuery || node.kind === SyntaxKind.Constructor) return
  node.forEachChild((child) => {
    visit(child, tell)
    return undefined
  })
}

function lastName(name: Node): Node {
  return isQualifiedName(name) ? name.right : name
}
