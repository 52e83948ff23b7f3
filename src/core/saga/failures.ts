/** What follows where several things have failed at once. */
import { Cause, Option } from "effect"
import type { SiteError } from "../errors.js"

/** Of several failures at once the one that may pass comes first: as long as there is one, nothing is given up. A defect stays what it is. */
export const passingFirst = <E extends SiteError>(cause: Cause.Cause<E>): Cause.Cause<E> =>
  Option.match(
    Cause.isDie(cause)
      ? Option.none()
      : Option.fromNullable([...Cause.failures(cause)].find(({ disposition }) => disposition !== "fail-order")),
    { onNone: () => cause, onSome: Cause.fail }
  )

/** Why the order has failed for good. None: what has failed may pass, or is a defect. */
export const forGood = <E extends SiteError>(cause: Cause.Cause<E>): Option.Option<E> =>
  Cause.isDie(cause)
    ? Option.none()
    : Option.filter(Cause.failureOption(passingFirst(cause)), ({ disposition }) => disposition === "fail-order")
