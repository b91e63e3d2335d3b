import { invalid } from './errors.ts';
import type { MessageRequest } from './message-schema.ts';
import { isCodeExecution } from './prompt.ts';
import type { EmulatorState } from './state.ts';

/** The containers in which code runs. They are gone when the emulator ends, as if they had expired. */

export interface Container {
  id: string;
  /** RFC 3339. */
  expires_at: string;
  skills: { type: string; skill_id: string; version: string }[] | null;
}

const lifeMs = 30 * 24 * 3600 * 1000;
const ownSkills = ['docx', 'pdf', 'pptx', 'xlsx'];
const latestVersion = '20251013';

const held = new WeakMap<EmulatorState, Map<string, Container>>();

/** The container that a request names, or a new one. Throws 400 when it does not exist, has expired, or cannot be had. */
export function containerFor(state: EmulatorState, request: MessageRequest): Container {
  const containers = held.get(state) ?? new Map<string, Container>();
  held.set(state, containers);
  const asked = request.container ?? {};
  const { id, skills } = typeof asked === 'string' ? { id: asked, skills: null } : asked;
  const loaded = skills?.map(({ type, skill_id, version }) => {
    const exists = type === 'custom' ? skill_id.startsWith('skill_') : ownSkills.includes(skill_id);
    if (!exists) throw invalid(`container.skills: Skill not found: ${skill_id}`);
    const resolved = version && version !== 'latest' ? version : latestVersion;
    return { type, skill_id, version: resolved };
  });
  if (!id) {
    const expiresAt = new Date(state.settings.now() + lifeMs).toISOString();
    const made = { id: state.newId('container'), expires_at: expiresAt, skills: loaded ?? null };
    containers.set(made.id, made);
    return made;
  }
  const known = containers.get(id);
  if (!known) throw invalid(`container: Container not found: ${id}`);
  if (Date.parse(known.expires_at) <= state.settings.now()) {
    throw invalid(`container: Container ${id} has expired`, { error_code: 'container_expired' });
  }
  return loaded ? { ...known, skills: loaded } : known;
}

/** Throws 400 where a request wants skills and has no tool that could use them. */
export function checkContainer({ container, tools = [] }: MessageRequest): void {
  const skills = typeof container === 'object' ? container?.skills : undefined;
  if (skills?.length && !tools.some(({ type }) => isCodeExecution(type))) {
    throw invalid('container.skills: need the code execution tool');
  }
}
