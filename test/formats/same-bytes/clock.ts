/** Sets this process's clock: imported before anything else, it starts at the time in `CLOCK`. */
const RealDate = Date;
const ahead = RealDate.parse(process.env.CLOCK ?? '') - RealDate.now();

class ShiftedDate extends RealDate {
  constructor(...given: [] | [string | number]) {
    super(...((given.length === 0 ? [ShiftedDate.now()] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + ahead;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
