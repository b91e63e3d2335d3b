import { isOn, readXml } from '../../formats/office/xml.ts';
import { inNumberFormat } from './number-formats.ts';
import type { Styles } from './styles.ts';

/** How one level of a list is numbered (ECMA-376 part 1, 17.9.6). */
interface Level {
  start: number;
  format: string;
  /** `%1.%2` and the like. */
  text: string;
  /** Level after which counting starts again; 0 for never, undefined for after any higher one. */
  restart?: number;
  /** Write the numbers of all levels as decimals (`w:isLgl`). */
  legal: boolean;
  styleId?: string;
}

interface AbstractNumbering {
  levels: Map<number, Level>;
  styleLink?: string;
}

interface Numbering {
  abstractId: string;
  startOverrides: Map<number, number>;
  levelOverrides: Map<number, Level>;
}

/** What precedes a paragraph of a list. */
interface ListLabel {
  kind: 'bullet' | 'number';
  /** `3.2`, `(a)` …; empty for bullets and for levels without a label. */
  text: string;
  /** 0 for the outermost. */
  level: number;
}

/** Counts through the lists of one story of the document, in document order. */
export interface ListCounter {
  /**
   * The label of the next paragraph with this numbering; undefined when the document does not define it.
   * @param level undefined when only the style has it
   */
  next(numId: string, level: number | undefined, styleId?: string): ListLabel | undefined;
}

/** Reads `numbering.xml` and returns a factory of counters, one for each story. */
export function readNumbering(bytes: Buffer | undefined, styles: Styles): () => ListCounter {
  const abstracts = new Map<string, AbstractNumbering>();
  const numberings = new Map<string, Numbering>();
  if (bytes) parse(bytes, abstracts, numberings);

  const resolve = (
    numId: string,
  ): { numbering: Numbering; levels: Map<number, Level> } | undefined => {
    let id: string | undefined = numId;
    for (let hops = 0; id !== undefined && hops < 10; hops++) {
      const numbering = numberings.get(id);
      const abstract = numbering && abstracts.get(numbering.abstractId);
      if (!numbering || !abstract) return undefined;
      if (abstract.styleLink === undefined || abstract.levels.size > 0) {
        return { numbering, levels: abstract.levels };
      }
      id = styles.numIdOfNumberingStyle(abstract.styleLink);
    }
    return undefined;
  };

  return () => counter(resolve);
}

function counter(
  resolve: (numId: string) => { numbering: Numbering; levels: Map<number, Level> } | undefined,
): ListCounter {
  // Word counts by abstract definition: lists that share one continue each other's numbers.
  const counts = new Map<string, Map<number, number>>();
  const begun = new Set<string>();

  return {
    next(numId, givenLevel, styleId) {
      const found = resolve(numId);
      if (!found) return undefined;
      const { numbering, levels } = found;
      const level = givenLevel ?? levelOfStyle(levels, styleId) ?? 0;
      const levelAt = (at: number) => numbering.levelOverrides.get(at) ?? levels.get(at);
      const rule = levelAt(level);
      if (!rule) return undefined;
      const count = counts.get(numbering.abstractId) ?? new Map<number, number>();
      counts.set(numbering.abstractId, count);
      if (!begun.has(numId)) {
        begun.add(numId);
        for (const at of numbering.startOverrides.keys()) count.delete(at);
      }
      const startOf = (at: number) => numbering.startOverrides.get(at) ?? levelAt(at)?.start ?? 1;
      const now = count.get(level);
      count.set(level, now === undefined ? startOf(level) : now + 1);
      for (let above = 0; above < level; above++) {
        if (!count.has(above)) count.set(above, startOf(above));
      }
      for (const below of [...count.keys()]) {
        const { restart } = levelAt(below) ?? {};
        const restarts = restart === undefined || (restart > 0 && level < restart);
        if (below > level && restarts) count.delete(below);
      }
      if (rule.format === 'bullet') return { kind: 'bullet', text: '', level };
      const text = rule.text.replace(/%(\d)/g, (_, digit: string) => {
        const at = Number(digit) - 1;
        const format = rule.legal ? 'decimal' : (levelAt(at)?.format ?? 'decimal');
        return inNumberFormat(count.get(at) ?? startOf(at), format);
      });
      return { kind: 'number', text: rule.format === 'none' ? '' : text.trim(), level };
    },
  };
}

function levelOfStyle(levels: Map<number, Level>, styleId: string | undefined): number | undefined {
  if (styleId === undefined) return undefined;
  for (const [at, level] of levels) if (level.styleId === styleId) return at;
  return undefined;
}

function parse(
  bytes: Buffer,
  abstracts: Map<string, AbstractNumbering>,
  numberings: Map<string, Numbering>,
): void {
  let abstract: AbstractNumbering | undefined;
  let numbering: Numbering | undefined;
  let overridden = 0;
  let level: Level | undefined;

  readXml(bytes, 'numbering.xml', {
    open(name, attributes) {
      const value = attributes['w:val'] ?? '';
      switch (name) {
        case 'w:abstractNum':
          abstract = { levels: new Map() };
          abstracts.set(attributes['w:abstractNumId'] ?? '', abstract);
          break;
        case 'w:num':
          numbering = { abstractId: '', startOverrides: new Map(), levelOverrides: new Map() };
          numberings.set(attributes['w:numId'] ?? '', numbering);
          break;
        case 'w:abstractNumId':
          if (numbering) numbering.abstractId = value;
          break;
        case 'w:lvlOverride':
          overridden = Number(attributes['w:ilvl'] ?? 0);
          break;
        case 'w:startOverride':
          numbering?.startOverrides.set(overridden, Number(value) || 0);
          break;
        case 'w:numStyleLink':
          if (abstract) abstract.styleLink = value;
          break;
        case 'w:lvl': {
          level = { start: 0, format: 'decimal', text: '', legal: false };
          // Some writers leave the index out of the only level they define.
          const at = Number(attributes['w:ilvl'] ?? 0);
          (numbering?.levelOverrides ?? abstract?.levels)?.set(at, level);
          break;
        }
        default:
          if (level) readLevel(level, name, value);
      }
    },
    close(name) {
      if (name === 'w:lvl') level = undefined;
      else if (name === 'w:abstractNum') abstract = undefined;
      else if (name === 'w:num') numbering = undefined;
    },
  });
}

function readLevel(level: Level, name: string, value: string): void {
  if (name === 'w:start') level.start = Number(value) || 0;
  else if (name === 'w:numFmt') level.format = value;
  else if (name === 'w:lvlText') level.text = value;
  else if (name === 'w:lvlRestart') level.restart = Number(value) || 0;
  else if (name === 'w:pStyle') level.styleId = value;
  else if (name === 'w:isLgl') level.legal = isOn(value);
}
