/**
 * Preloaded by the functions of a chaos run (`--import later.ts?hours=N`): sets their clock N hours ahead, as if
 * that time had passed since the run began.
 */
const hours = Number(new URL(import.meta.url).searchParams.get('hours'));
const now = Date.now;
Date.now = () => now() + hours * 3_600_000;
