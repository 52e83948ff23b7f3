/** The servers' names as people write them, and the colour that each has in every chart. */
const names: Readonly<Record<string, string>> = { opennebula: "OpenNebula", waldur: "Waldur", keycloak: "Keycloak" }
export const systemName = (system: string): string => names[system] ?? system

const lines: Readonly<Record<string, { readonly colour: string; readonly dash?: ReadonlyArray<number> }>> = {
  opennebula: { colour: "--accent" },
  waldur: { colour: "--second", dash: [6, 3] },
  keycloak: { colour: "--third", dash: [2, 3] }
}
export const systemLine = (system: string) => lines[system] ?? { colour: "--muted", dash: [1, 2] }
