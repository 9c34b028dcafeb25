const DAY = 86_400_000

/**
 * Milliseconds until the next midnight of a time zone, such as `America/Los_Angeles`, by which Google's quotas of a day are counted
 * (https://ai.google.dev/gemini-api/docs/rate-limits). `wall` is in ms since the epoch.
 */
export function untilMidnight(wall: number, timeZone: string): number {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  const since = (at: number): number => {
    const [hours = 0, minutes = 0, seconds = 0] = clock.format(at).split(':').map(Number)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + (at % 1000)
  }
  const left = DAY - since(wall)
  // Where the clock is put forward or back before then, the day has an hour less or more.
  const past = since(wall + left)
  return past > DAY / 2 ? left + DAY - past : left - past
}
