/**
 * Planted bugs: what the simulation has to find. Each is a change of the agent's source, made while it is bundled for a run; the agent
 * itself knows nothing of them. A text that is no longer there once, as it stands here, is an error: the bug has to be planted anew.
 */
export interface PlantedBug {
  readonly name: string
  readonly edits: ReadonlyArray<{ readonly file: string; readonly find: string; readonly replace: string }>
  /** Only faults of these kinds, where the others would hide it or make it slow. */
  readonly only?: ReadonlyArray<string>
}

const one = (name: string, file: string, find: string, replace: string): PlantedBug => ({
  name,
  edits: [{ file: `src/${file}`, find, replace }]
})

export const plantedBugs: ReadonlyArray<PlantedBug> = [
  one(
    "a step that was cut off is done again without a look",
    "core/saga/perform.ts",
    "const left = yield* making(lookFor(find.value, state), lookingFor(yield* wholeStory(attempt.journal), step))",
    "const left = Option.none<A>()"
  ),
  one(
    "the journal hears of a step only afterwards",
    "core/saga/perform.ts",
    "Effect.map(begin(step, begins, Option.isSome(find), attempt), () => {",
    "Effect.map(Effect.void, () => {"
  ),
  {
    ...one(
      "what is made is announced, and the disk not waited for",
      "core/saga/steps.ts",
      `    begins: "once",
    find: Option.some(spec.find),`,
      `    begins: "again",
    find: Option.some(spec.find),`
    ),
    only: ["kill", "killed at a call", "power cut"]
  },
  one("undone in the order of doing", "core/saga/saga.ts", "performed.toReversed()", "performed"),
  {
    ...one(
      "an undo that fails counts as done",
      "core/saga/saga.ts",
      'error.disposition === "fail-order" ? Effect.succeedSome(error.message) : Effect.fail(error)',
      'error.disposition === "fail-order" ? Effect.succeedNone : Effect.fail(error)'
    ),
    only: ["boot fails", "name taken", "lease stays"]
  },
  one(
    "after a restart only what this run did is undone",
    "core/saga/saga.ts",
    "if (attempt.unreached.size === 0) return",
    "return"
  ),
  one(
    "what may pass fails the order",
    "core/saga/failures.ts",
    'Option.filter(Cause.failureOption(passingFirst(cause)), ({ disposition }) => disposition === "fail-order")',
    "Cause.failureOption(cause)"
  ),
  {
    name: "a process whose lease is lost goes on",
    only: ["pause", "cloud slow", "market slow", "cloud away", "market away"],
    edits: [
      {
        file: "src/runtime/journal/entries.ts",
        find: `WHERE \${leaseHolds(sql, lease)}\n`,
        replace: "WHERE 1 = 1\n"
      },
      {
        file: "src/runtime/journal/journal.ts",
        find: "return rows.length > 0\n    })",
        replace: "return true\n    })"
      }
    ]
  },
  one(
    "a refused journal write is taken for a written one",
    "runtime/journal/entries.ts",
    "            if (inserted.length === 0) return new LeaseLost({ resource: lease.resource, epoch: lease.epoch })\n",
    ""
  ),
  {
    name: "two orders of a resource at once",
    only: ["order canceled", "order erred by others", "cloud slow", "dispatched twice", "dispatched out of order"],
    edits: [
      {
        file: "src/runtime/actors/mailboxes.ts",
        find: "if (!mailbox.isAtWork) next(mailbox)",
        replace: "next(mailbox)"
      },
      {
        file: "src/runtime/actors/dispatch.ts",
        find: "Array.groupBy(work, (item) => item.resource)",
        replace: "Array.groupBy(work, (item) => item.order)"
      },
      {
        file: "src/runtime/actors/dispatch.ts",
        find: ".filter(([oldest]) => !atWork.has(oldest.resource))",
        replace: ""
      },
      {
        file: "src/runtime/actors/dispatch.ts",
        find: "if (atWork.has(resource)) return Effect.void",
        replace: ""
      }
    ]
  },
  one(
    "a call is sent again though it may have been carried out",
    "opennebula/client.ts",
    "return yield* limiter.withPlace(owner)(throughGate(changes)(protect(told(sent))))",
    'return yield* limiter.withPlace(owner)(protect(Effect.retry(told(exchange), { times: 2, while: (error) => error.disposition === "retry" })))'
  ),
  one(
    "an answer that cannot be read is taken for a success",
    "opennebula/client.ts",
    "return yield* limiter.withPlace(owner)(throughGate(changes)(protect(told(sent))))",
    'return yield* Effect.catchTag(limiter.withPlace(owner)(protect(told(sent))), "MalformedAnswer", (error) => answer._tag === "Integer" ? answer.decode(ids[0] ?? 0) : Effect.fail(error))'
  ),
  one(
    "what has the right name is adopted",
    "plugins/opennebula-vdc/cloud.ts",
    "          onNone: () =>\n            new OrderRefused({",
    "          onNone: () => Effect.succeed(error.takenById) ?? \n            new OrderRefused({"
  ),
  one(
    "what has no owner is ended with the rest",
    "plugins/opennebula-vdc/belongings/belongings.ts",
    "objects.filter((object) => isTaggedFor(resource.id, object) && !others.has(object.gid ?? -1))",
    "objects.filter((object) => isTaggedFor(resource.id, object) || (isUntagged(object) && object.id >= 1))"
  ),
  one(
    "quotas are not set",
    "plugins/opennebula-vdc/quotas.ts",
    "if (Object.keys(quota).length === 0) return",
    "return"
  ),
  one(
    "done is said before the backend id",
    "runtime/orders/report/values.ts",
    "waldur.putBackendId(resource, backendId)",
    "Effect.zipRight(waldur.setStateDone(request.order), waldur.putBackendId(resource, backendId))"
  ),
  one(
    "subnets are chosen without being reserved",
    "plugins/opennebula-vdc/plan.ts",
    "const reserved = yield* reservations.reserve(pool, request.resource.id, candidates)",
    "let reserved; for (const candidate of candidates) { reserved = candidate; break }"
  ),
  one(
    "a router that does not run is good enough",
    "plugins/opennebula-vdc/create.ts",
    "routerRuns(cloud, request, network, net.routerVmId, (address) => foretell(() => made(address)))",
    'Effect.sync(() => (foretell(() => made("")), ""))'
  ),
  {
    ...one(
      "a resize is not taken back",
      "plugins/opennebula-vm/update.ts",
      "undoResize(offering, id, before.running, capacityBefore(before, capacity))",
      "Effect.void"
    ),
    only: ["disk resize fails", "boot fails"]
  },
  one(
    "nobody looks whether an order was canceled",
    "runtime/orders/attempt.ts",
    "if (isEndedByOthers(order.state) && Option.isNone(refusalIn(yield* journal.entries))) {",
    "if (false) {"
  ),
  one(
    "a VM is ended without waiting for its end",
    "plugins/opennebula-vm/machine.ts",
    'until: (vm) => vm.state === "Done",\n      seconds: offering.settings.terminate_timeout',
    "until: () => true,\n      seconds: offering.settings.terminate_timeout"
  ),
  {
    ...one(
      "a machine that is gone stands in the way of its undo",
      "plugins/opennebula-vm/power.ts",
      "error instanceof Vanished || ",
      ""
    ),
    only: ["saboteur deletes", "disk resize fails"]
  },
  {
    ...one(
      "a router's machine without its router is taken for a tenant's",
      "plugins/opennebula-vdc/terminate.ts",
      "own.machines.includes(id) && !ours.includes(id))",
      "own.machines.includes(id))"
    ),
    // Killed in between: only the next attempt hears that the order was ended by others, and leaves the machine.
    only: ["shutdown fails", "order canceled", "order erred by others", "kill", "killed at a call"]
  },
  one(
    "an error's answer is forgotten at the last moment",
    "runtime/orders/ending.ts",
    "yield* Effect.mapError(waldur.setStateErred(order.uuid, sentence, details), sayWhatToDo)",
    ""
  ),
  one(
    "what was told ahead of a failed order stays in Waldur",
    "runtime/orders/ending.ts",
    "if (request !== undefined) yield* takeBackForetold(offering, journal, request)",
    ""
  ),
  one(
    "a password stands in the log",
    "plugins/opennebula-vdc/tenant.ts",
    "yield* cloud.one.user.passwd(userId, password)",
    "yield* cloud.one.user.passwd(userId, password); yield* Effect.logDebug(Redacted.value(password))"
  )
]
