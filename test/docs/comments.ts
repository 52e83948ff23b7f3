/** The comments of a schema's keys, from its source: one text for whoever reads the code and whoever reads the reference. */
import { readFileSync } from "node:fs"
import ts from "typescript"

/** "/** ... *\/" before a key, as one line; empty if there is none. */
const commentOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? "")
    .join(" ")
    .replace(/\s+/g, " ")
    .trim()

/** The object literals of a file, by the name of the constant that is made of them: `const X = { }`, `const X = Schema.Struct({ })`. */
const literalsIn = (file: string): ReadonlyMap<string, ts.ObjectLiteralExpression> => {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)
  const found = new Map<string, ts.ObjectLiteralExpression>()
  const literal = (node: ts.Expression | undefined): ts.ObjectLiteralExpression | undefined => {
    if (node === undefined) return undefined
    if (ts.isObjectLiteralExpression(node)) return node
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return literal(node.expression)
    return ts.isCallExpression(node) ? literal(node.arguments[0]) : undefined
  }
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const declaration of statement.declarationList.declarations) {
      const object = literal(declaration.initializer)
      if (object !== undefined && ts.isIdentifier(declaration.name)) found.set(declaration.name.text, object)
    }
  }
  return found
}

/** Key -> comment of one constant, with those of what is spread into it. A key without a comment has that of its namesake in `fallback`. */
export const commentsOf = (
  files: ReadonlyArray<string>,
  constant: string,
  fallback?: string
): ReadonlyMap<string, string> => {
  const literals = new Map(files.flatMap((file) => [...literalsIn(file)]))
  const collect = (name: string): ReadonlyMap<string, string> => {
    const comments = new Map<string, string>()
    for (const property of literals.get(name)?.properties ?? []) {
      if (ts.isSpreadAssignment(property) && ts.isIdentifier(property.expression)) {
        for (const [key, comment] of collect(property.expression.text)) comments.set(key, comment)
      } else if (property.name !== undefined && ts.isIdentifier(property.name)) {
        comments.set(property.name.text, commentOf(property))
      }
    }
    return comments
  }
  if (!literals.has(constant)) throw new Error(`there is no ${constant} in ${files.join(", ")}`)
  const others = fallback === undefined ? new Map<string, string>() : collect(fallback)
  return new Map([...collect(constant)].map(([key, comment]) => [key, comment || (others.get(key) ?? "")]))
}
