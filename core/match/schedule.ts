import type { Match } from '../target.ts'
import type { Condition, Test } from './match.ts'

export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const
export type Day = (typeof DAYS)[number]

type Schedule = NonNullable<Match['schedule']>

/** A window of the week, in the time of a zone. */
export const schedule: Condition = {
  compile: ({ schedule }) => schedule && within(schedule),
  misses: ({ schedule }, { wall }) =>
    schedule
      ? `${clock(schedule.timeZone)(wall).said} in ${schedule.timeZone} is not within ${schedule.days.length < 7 ? `${schedule.days.join(', ')} ` : ''}${schedule.from}–${schedule.to}`
      : '',
}

/** From one time of day up to, not including, another; where that is not later, it is on the day after. Days are those on which it begins. */
function within({ timeZone, days, from, to }: Schedule): Test {
  const time = clock(timeZone)
  const [begin, end] = [minutes(from), minutes(to)]
  const first = new Set(days)
  const inside = (wall: number): boolean => {
    const { day, minute } = time(wall)
    if (begin < end) return minute >= begin && minute < end && first.has(at(day))
    return (minute >= begin && first.has(at(day))) || (minute < end && first.has(at(day + 6)))
  }
  // Zones differ from each other by whole minutes, so that a minute has one answer.
  let known = Number.NaN
  let answer = false
  return ({ wall }) => {
    const minute = Math.floor(wall / 60_000)
    if (minute !== known) {
      known = minute
      answer = inside(wall)
    }
    return answer
  }
}

const at = (day: number): Day => DAYS[day % 7] ?? 'Mon'
const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** What the clocks of a zone say: `day` 0 is Monday, `minute` of the day. Throws `RangeError` for a zone that is not known. */
function clock(timeZone: string): (wall: number) => { day: number; minute: number; said: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  return (wall) => {
    const parts = new Map(format.formatToParts(wall).map(({ type, value }) => [type, value]))
    const time = `${parts.get('hour')}:${parts.get('minute')}`
    const day = DAYS.findIndex((it) => it === parts.get('weekday'))
    return { day, minute: minutes(time), said: `${parts.get('weekday')} ${time}` }
  }
}
