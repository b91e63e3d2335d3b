/** When a schedule fires next, strictly after `after` (and, for rates, counted from it). */
export type NextFire = (after: Date) => Date;

const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads an EventBridge schedule expression: `rate(5 minutes)` or `cron(0 6 ? * MON-FRI *)`, in UTC.
 * Cron's `L`, `W` and `#` are not supported.
 * @throws {Error} when the expression is neither
 */
export function parseSchedule(expression: string): NextFire {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim());
  if (rate) {
    const period = Number(rate[1]) * (units[rate[2] ?? ''] ?? 0);
    if (period === 0) throw new Error(`A rate must be at least 1: ${expression}`);
    return (after) => new Date(after.getTime() + period);
  }
  const cron = /^cron\((.+)\)$/.exec(expression.trim());
  const fields = cron?.[1]?.trim().split(/\s+/) ?? [];
  if (fields.length !== 6) throw new Error(`Not a rate() or cron() schedule: ${expression}`);
  return cronSchedule(fields, expression);
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function cronSchedule(fields: string[], expression: string): NextFire {
  const field = (index: number, from: number, to: number, names: string[] = []) =>
    parseField(fields[index] ?? '*', from, to, names, expression);
  const minute = field(0, 0, 59);
  const hour = field(1, 0, 23);
  const dayOfMonth = field(2, 1, 31);
  const month = field(3, 1, 12, months);
  const dayOfWeek = field(4, 1, 7, weekdays);
  const year = field(5, 1970, 2199);

  return (after) => {
    const time = new Date(after.getTime());
    time.setUTCSeconds(0, 0);
    time.setUTCMinutes(time.getUTCMinutes() + 1);
    while (time.getUTCFullYear() < 2200) {
      const day = dayOfMonth.has(time.getUTCDate()) && dayOfWeek.has(time.getUTCDay() + 1);
      if (!year.has(time.getUTCFullYear()) || !month.has(time.getUTCMonth() + 1)) {
        time.setUTCMonth(time.getUTCMonth() + 1, 1);
        time.setUTCHours(0, 0);
      } else if (!day) {
        time.setUTCDate(time.getUTCDate() + 1);
        time.setUTCHours(0, 0);
      } else if (!hour.has(time.getUTCHours())) {
        time.setUTCHours(time.getUTCHours() + 1, 0);
      } else if (!minute.has(time.getUTCMinutes())) {
        time.setUTCMinutes(time.getUTCMinutes() + 1);
      } else {
        return time;
      }
    }
    throw new Error(`The schedule never fires again: ${expression}`);
  };
}

function parseField(
  text: string,
  from: number,
  to: number,
  names: string[],
  expression: string,
): Set<number> {
  const bad = () => new Error(`Cannot read "${text}" in the schedule ${expression}`);
  const value = (part: string): number => {
    const named = names.indexOf(part.toUpperCase());
    const number = named >= 0 ? named + 1 : Number(part);
    if (!Number.isInteger(number) || number < from || number > to) throw bad();
    return number;
  };
  const set = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const every = Number(step);
    if (!Number.isInteger(every) || every < 1) throw bad();
    let [first, last] = [from, to];
    if (range !== '*' && range !== '?') {
      const [low = '', high] = range.split('-');
      first = value(low);
      last = high !== undefined ? value(high) : part.includes('/') ? to : first;
    }
    for (let number = first; number <= last; number += every) set.add(number);
  }
  return set;
}
