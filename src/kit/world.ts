/** What stands in the backend, as the kit compares it. */
import type { BackendObject, Problem } from "./model.js"

const label = ({ detail, kind }: BackendObject): string => (detail === undefined ? kind : `${kind} (${detail})`)

/** What a resource consists of, without its ids: sorted, each as often as it is there. */
export const shapeOf = (objects: ReadonlyArray<BackendObject>, owner: string): ReadonlyArray<string> =>
  objects
    .filter((object) => object.owner === owner)
    .map(label)
    .toSorted()

const countOf = (items: ReadonlyArray<string>, item: string): number => items.filter((one) => one === item).length

/** More of a kind than there should be is a duplicate; other differences are wrong. */
export const compareShapes = (
  expected: ReadonlyArray<string>,
  actual: ReadonlyArray<string>
): ReadonlyArray<Problem> => {
  const kindsOf = (shape: ReadonlyArray<string>) => shape.map((item) => item.split(" (")[0] ?? item)
  const [wanted, found] = [kindsOf(expected), kindsOf(actual)]
  const doubled = [...new Set(found)].filter((kind) => countOf(found, kind) > countOf(wanted, kind))
  const problems = doubled.map(
    (kind): Problem => ({
      kind: "duplicate",
      text: `${countOf(found, kind)} of kind ${kind}, should be ${countOf(wanted, kind)}`
    })
  )
  const other = [...new Set([...expected, ...actual])].filter(
    (item) => countOf(expected, item) !== countOf(actual, item) && !doubled.includes(item.split(" (")[0] ?? item)
  )
  return [
    ...problems,
    ...other.map(
      (item): Problem => ({
        kind: "wrong",
        text: `${countOf(actual, item)} of ${item}, should be ${countOf(expected, item)}`
      })
    )
  ]
}

const identity = ({ id, kind }: BackendObject): string => `${kind} ${id}`

/** What is there and was not there before. */
export const added = (
  before: ReadonlyArray<BackendObject>,
  after: ReadonlyArray<BackendObject>
): ReadonlyArray<BackendObject> => {
  const known = new Set(before.map(identity))
  return after.filter((object) => !known.has(identity(object)))
}

export const named = (objects: ReadonlyArray<BackendObject>): string => objects.map(identity).join(", ")
