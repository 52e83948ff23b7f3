// Which room may import which: the table in docs/architecture.md, as rules.
const only = (name, from, to) => ({
  name,
  severity: "error",
  from: { path: `^src/${from}/`, pathNot: "\\.test\\.ts$|/testing/|/testing\\.ts$" },
  to: { path: "^src/", pathNot: `^src/(${[from, ...to].join("|")})/` }
})

module.exports = {
  forbidden: [
    only("core-imports-nothing", "core", []),
    only("connect-imports-core", "connect", ["core"]),
    only("the-api-imports-nothing-of-ours", "api", []),
    {
      name: "the-api-is-for-browsers-too",
      severity: "error",
      from: { path: "^src/(api|dashboard)/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["core"] }
    },
    only("the-page-imports-the-api", "dashboard", ["api"]),
    {
      name: "the-page-takes-types-alone",
      comment: "Effect's Schema would be more than all else of the page: docs/decisions.",
      severity: "error",
      from: { path: "^src/dashboard/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/api/|node_modules/(effect|@effect)/", dependencyTypesNot: ["type-only"] }
    },
    only("waldur-imports-core-and-connect", "waldur", ["core", "connect"]),
    only("opennebula-imports-core-and-connect", "opennebula", ["core", "connect"]),
    only("keycloak-imports-core-and-connect", "keycloak", ["core", "connect"]),
    only("the-contract-is-a-selection-of-core", "plugin", ["core"]),
    only("plugins-import-the-contract-and-services", "plugins", ["plugin", "opennebula", "keycloak"]),
    only("the-kit-stands-on-the-runtime", "kit", ["core", "runtime", "simulator"]),
    {
      name: "nothing-needs-the-kit",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/kit/|\\.test\\.ts$" },
      to: { path: "^src/kit/" }
    },
    {
      name: "the-database-does-not-know-what-is-kept-in-it",
      severity: "error",
      from: { path: "^src/runtime/database/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/runtime/", pathNot: "^src/runtime/(database/|version\\.ts$)" }
    },
    only("the-simulator-imports-nothing-of-the-agent", "simulator", []),
    {
      name: "one-way-to-the-plugins",
      comment: "Only the registry knows the plugins.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(plugins/|runtime/plugins\\.ts$)|\\.test\\.ts$" },
      to: { path: "^src/plugins/" }
    },
    { name: "plugins-do-not-know-each-other", severity: "error", from: { path: "^src/plugins/opennebula-vdc/" }, to: { path: "^src/plugins/opennebula-vm/" } },
    { name: "plugins-do-not-know-each-other-either", severity: "error", from: { path: "^src/plugins/opennebula-vm/" }, to: { path: "^src/plugins/opennebula-vdc/" } },
    {
      name: "platform-by-module",
      comment: "The whole of @effect/platform loads the pages of Swagger and Scalar, 5 MB of text, at each start: `import * as X from \"@effect/platform/X\"`.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "node_modules/@effect/platform(-node)?/(build|dist|src)/.*index\\.", dependencyTypesNot: ["type-only"] }
    },
    { name: "no-cycles", severity: "error", from: { path: "^src/" }, to: { circular: true } }
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" }, doNotFollow: { path: "node_modules" } }
}
