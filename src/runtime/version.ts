/** This package's version, from its own package.json. */
import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { ofPackage } from "./package.js"

const Package = Schema.parseJson(Schema.Struct({ version: Schema.String }))

export const version: string = Schema.decodeUnknownSync(Package)(
  readFileSync(ofPackage("package.json"), "utf8")
).version
