import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { billingPeriods } from "./periods.js"

const hour = 3_600_000
const periods = (now: string, timezone: string, count: number) =>
  Effect.map(billingPeriods(Date.parse(now), timezone, count), (found) =>
    found.map(({ key, date, from, until, current, open }) => ({
      open,
      key,
      date,
      from: new Date(from).toISOString(),
      hours: (until - from) / hour,
      current
    }))
  )

describe("billing periods", () => {
  it.effect("are the current month and those before it, oldest first, in the configured time zone", () =>
    Effect.gen(function* () {
      expect(yield* periods("2026-11-25T20:00:00Z", "Europe/Tallinn", 2)).toEqual([
        // October has an hour more: the clocks went back.
        {
          open: true,
          key: "2026-10-01",
          date: "2026-10-31T09:00:00.000Z",
          from: "2026-09-30T21:00:00.000Z",
          hours: 31 * 24 + 1,
          current: false
        },
        {
          open: true,
          key: "2026-11-01",
          date: undefined,
          from: "2026-10-31T22:00:00.000Z",
          hours: 30 * 24,
          current: true
        }
      ])
    })
  )

  it.effect("change at midnight on the provider's clock, not at Greenwich's", () =>
    Effect.gen(function* () {
      const [tallinn] = yield* periods("2026-12-31T22:30:00Z", "Europe/Tallinn", 1)
      expect(tallinn).toMatchObject({
        key: "2027-01-01",
        open: false,
        from: "2026-12-31T22:00:00.000Z"
      })
      const [york] = yield* periods("2027-01-01T04:30:00Z", "America/New_York", 1)
      expect(york).toMatchObject({ key: "2026-12-01", date: "2026-12-31T09:00:00.000Z" })
    })
  )

  it.effect("of a month with 23 hours in one day, and reached from the 31st", () =>
    Effect.gen(function* () {
      expect(
        (yield* periods("2026-03-31T12:00:00Z", "Europe/Tallinn", 2)).map(({ key, hours }) => [key, hours])
      ).toEqual([
        ["2026-02-01", 28 * 24],
        ["2026-03-01", 31 * 24 - 1]
      ])
    })
  )

  it.effect("begin at the first of two midnights, and where there is no midnight, when the day does", () =>
    Effect.gen(function* () {
      // Havana put its clocks back from 1:00 to 0:00 on 1 November 2026, Damascus forward from 0:00 to 1:00 on 1 April 2006.
      const [october, november] = yield* periods("2026-11-20T12:00:00Z", "America/Havana", 2)
      expect(november?.from).toBe("2026-11-01T04:00:00.000Z")
      expect(october?.hours).toBe(31 * 24)
      const [march, april] = yield* periods("2006-04-10T12:00:00Z", "Asia/Damascus", 2)
      expect(april).toMatchObject({ key: "2006-04-01", from: "2006-03-31T22:00:00.000Z" })
      expect(march).toMatchObject({ key: "2006-03-01", date: "2006-03-31T09:00:00.000Z", hours: 31 * 24 })
    })
  )

  it.effect("go back over the turn of the year, up to a whole one", () =>
    Effect.gen(function* () {
      const keys = (yield* periods("2027-01-15T00:00:00Z", "UTC", 12)).map(({ key }) => key)
      expect([keys.length, keys.at(0), keys.at(-2), keys.at(-1)]).toEqual([
        12,
        "2026-02-01",
        "2026-12-01",
        "2027-01-01"
      ])
    })
  )

  it.effect("are told and dated so that every server books them under the same month, whatever its clock says", () =>
    Effect.gen(function* () {
      const monthThere = (date: string, timeZone: string) =>
        new Intl.DateTimeFormat("sv", { timeZone, year: "numeric", month: "2-digit" }).format(new Date(date))
      for (const now of [
        "2026-10-31T22:00:01Z",
        "2026-11-01T00:00:01Z",
        "2026-11-01T12:00:00Z",
        "2026-11-15T12:00:00Z",
        "2026-11-30T09:00:00Z",
        "2026-11-30T21:59:59Z"
      ]) {
        const both = yield* billingPeriods(Date.parse(now), "Europe/Tallinn", 2)
        for (const zone of ["Etc/GMT+12", "UTC", "Europe/Tallinn", "Pacific/Kiritimati"]) {
          const told = both.filter(({ open }) => open)
          expect(told.map(({ date = now }) => monthThere(date, zone))).toEqual(
            now < "2026-11-01T12" ? ["2026-10"] : ["2026-10", "2026-11"]
          )
          expect(told.every(({ date = now }) => date <= now)).toBe(true)
        }
      }
    })
  )

  it.effect("of a time zone that nobody knows are a fault that says what to change", () =>
    Effect.gen(function* () {
      const fault = yield* Effect.flip(billingPeriods(0, "Europe/Talinn", 1))
      expect(fault.message).toBe(
        'The time zone Europe/Talinn is not known here. Set timezone to one such as "Europe/Tallinn" or "UTC".'
      )
    })
  )
})
