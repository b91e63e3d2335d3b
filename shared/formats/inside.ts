/**
 * The face of the formats' room inside the conversion process, for `shared/convert/` only. Types
 * come from `index.ts`, whose imports vanish when they are only types.
 */
export { formatConverters } from './converters.ts';
export { identify } from './identify/identify.ts';
export { isSystemError } from './safety/system-error.ts';
