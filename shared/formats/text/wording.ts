/** `1 picture`, `3 pictures`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** `1 picture was`, `3 pictures were`. */
export function countedWere(count: number, noun: string, plural = `${noun}s`): string {
  return `${counted(count, noun, plural)} ${count === 1 ? 'was' : 'were'}`;
}
