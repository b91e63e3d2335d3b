/** A hostile or broken file, and how its conversion must end. */
export interface HostileCase {
  title: string;
  name: string;
  bytes: () => Promise<Uint8Array> | Uint8Array;
  /** The code it is rejected or skipped with; without one it is converted. */
  code?: string;
  /** Codes of warnings that the conversion must include. */
  warnings?: string[];
}

/** What an entity, picture or template tries to reach: a local file and a server. */
export interface Targets {
  file: string;
  url: string;
}
