/** `intake` → `Intake`: the construct id and the output of a queue or step derive from its name. */
export function capitalized<Name extends string>(name: Name): Capitalize<Name> {
  return (name.charAt(0).toUpperCase() + name.slice(1)) as Capitalize<Name>;
}
