/** How fast this machine is, in one number: ms for a fixed piece of work such as the agent's own. Ratios of processor time are taken against it. */
const work = (): number => {
  let sum = 0
  for (let round = 0; round < 60; round++) {
    const parsed: unknown = JSON.parse(
      JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `name-${id}`, of: { round, half: id / 2 } })))
    )
    const found = new Map(Object.entries(Object(parsed)).map(([key, value]) => [`${key}/${round}`, value]))
    for (const key of found.keys()) sum += key.length
  }
  return sum
}

/** The best of some: what else the machine does makes it slower, never faster. */
export const machineUnit = (): number => {
  const times = Array.from({ length: 8 }, () => {
    const before = process.cpuUsage()
    work()
    const { system, user } = process.cpuUsage(before)
    return (system + user) / 1000
  })
  return Math.min(...times)
}
