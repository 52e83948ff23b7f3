/** Reading XML into a small tree with saxes: requests, and templates in XML syntax. */
import { SaxesParser } from "saxes"

export interface XmlElement {
  readonly name: string
  readonly children: Array<XmlElement>
  /** Text and CDATA directly in this element. */
  text: string
}

export type XmlTree =
  | { readonly _tag: "Tree"; readonly root: XmlElement }
  /** `position` counts characters from the start. `unclosed`: the text ended inside an element. */
  | { readonly _tag: "Malformed"; readonly position: number; readonly unclosed: boolean }

export const readXml = (text: string): XmlTree => {
  const parser = new SaxesParser({ position: true })
  const open: Array<XmlElement> = []
  let root: XmlElement | undefined
  let broken: { position: number; unclosed: boolean } | undefined
  const append = (piece: string) => {
    const top = open.at(-1)
    if (top !== undefined) top.text += piece
  }
  parser.on("opentag", (tag) => {
    const made: XmlElement = { name: tag.name, children: [], text: "" }
    open.at(-1)?.children.push(made)
    open.push(made)
    root ??= made
  })
  parser.on("closetag", () => {
    open.pop()
  })
  parser.on("text", append)
  parser.on("cdata", append)
  parser.on("error", () => {
    broken ??= { position: parser.position, unclosed: false }
  })
  parser.write(text)
  const sound = broken === undefined
  const unfinished = open.length > 0
  if (sound) parser.close()
  if (broken !== undefined) return { _tag: "Malformed", position: broken.position, unclosed: sound && unfinished }
  return root === undefined ? { _tag: "Malformed", position: 0, unclosed: true } : { _tag: "Tree", root }
}

export const childNamed = (parent: XmlElement, name: string): XmlElement | undefined =>
  parent.children.find((child) => child.name === name)
