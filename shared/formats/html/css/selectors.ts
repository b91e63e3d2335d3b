import { type AttributeSelector, parse, type Selector } from 'css-what';
import { every, not, some, type Truth } from './conditions.ts';
import type { Element, OpenElements } from './elements.ts';

/** Selectors, and whether they match an element of which what follows is not yet known. */

/** Comparisons for one selector and one element, and for a page: bounds on the time. */
const mostSteps = 2_000;
const mostOfPage = 20_000_000;
const longestSelector = 1_000;

/** Pseudo-classes that depend on what a reader does, or on what comes later in the page. */
const undecided =
  /^(?:hover|focus(?:-within|-visible)?|active|target(?:-within)?|visited|link|checked|indeterminate|default|disabled|enabled|required|optional|read-only|read-write|valid|invalid|user-valid|user-invalid|in-range|out-of-range|placeholder-shown|autofill|lang|dir|empty|last-child|last-of-type|only-child|only-of-type|nth-last-child|nth-last-of-type|has|open|fullscreen|playing|paused)$/;
const decided =
  /^(?:root|scope|is|where|not|matches|any|-webkit-any|first-child|first-of-type|nth-child|nth-of-type|any-link|defined|popover-open|modal|host)$/;

export interface Compiled {
  parts: Selector[];
  /** Ids, classes and tags in it (Selectors 4, 17), as one number. */
  specificity: number;
  /** What it styles is drawn beside the element, or is a part of its text. */
  pseudo: string;
  /** A name that the element must have: `#id`, `.class`, a tag, or `*`. */
  key: string;
  /** Such names of elements around it. */
  around: string[];
}

/** Reads a list of selectors. `isSure` is false where browsers may not take it. */
export function compile(text: string): { selectors: Compiled[]; isSure: boolean } | undefined {
  if (text.length > longestSelector || text.split('(').length > 20) return undefined;
  try {
    const lists = parse(text);
    return { selectors: lists.map(compiled), isSure: lists.every(isKnown) };
  } catch {
    // Browsers pass over what is no selector.
    return undefined;
  }
}

function compiled(list: Selector[]): Compiled {
  const pseudo = list.find(isPseudoElement);
  const parts = list.filter((part) => !isPseudoElement(part));
  const start = parts.findLastIndex(isTraversal) + 1;
  const sibling = parts.findLastIndex((part) => /^(?:sibling|adjacent)$/.test(part.type));
  return {
    parts,
    specificity: specificityOf(list),
    pseudo: pseudo && 'name' in pseudo ? pseudo.name : '',
    key: namesIn(parts.slice(start))[0] ?? '*',
    // Siblings are not open.
    around: sibling < 0 ? namesIn(parts.slice(0, start)) : [],
  };
}

/** What elements must be called: ids first, then classes, then tags. */
function namesIn(parts: Selector[]): string[] {
  const names = (attribute: string, mark: string) =>
    parts
      .filter((part) => part.type === 'attribute')
      .filter((part) => part.name === attribute && part.ignoreCase === 'quirks')
      .map((part) => mark + part.value);
  const tags = parts.filter((part) => part.type === 'tag').map((part) => part.name.toLowerCase());
  return [...names('id', '#'), ...names('class', '.'), ...tags];
}

function isPseudoElement(part: Selector): boolean {
  return (
    part.type === 'pseudo-element' ||
    (part.type === 'pseudo' && /^(?:before|after|first-line|first-letter)$/.test(part.name))
  );
}

const traversals: ReadonlySet<string> = new Set([
  'descendant',
  'child',
  'sibling',
  'adjacent',
  'parent',
  'column-combinator',
]);

function isTraversal({ type }: Selector): boolean {
  return traversals.has(type);
}

function isKnown(list: Selector[]): boolean {
  return list.every((part) => {
    if (part.type === 'parent' || part.type === 'column-combinator') return false;
    if (part.type !== 'pseudo' || isPseudoElement(part)) return true;
    return undecided.test(part.name) || decided.test(part.name);
  });
}

function specificityOf(list: Selector[]): number {
  let sum = 0;
  for (const part of list) {
    if (part.type === 'attribute') {
      sum += part.name === 'id' && part.ignoreCase === 'quirks' ? 10_000 : 100;
    } else if (part.type === 'tag' || part.type === 'pseudo-element') sum += 1;
    else if (part.type === 'pseudo' && Array.isArray(part.data)) {
      if (part.name !== 'where') sum += Math.max(0, ...part.data.map(specificityOf));
    } else if (part.type === 'pseudo') sum += 100;
  }
  return sum;
}

/** Matches selectors with the elements of one page. */
export class Matcher {
  /** Whether scripts may give other classes and attributes to the elements around. */
  mayChange = false;
  #ofPage = 0;
  #steps = 0;
  #subject: Element | undefined;

  /** @param open the elements that are open, the element the last of them */
  matches({ parts, around }: Compiled, element: Element, open: OpenElements): Truth {
    this.#steps = 0;
    this.#subject = element;
    if (!around.every((name) => open.has(name))) {
      if (!this.mayChange) return false;
      const start = parts.findLastIndex(isTraversal) + 1;
      const own = parts.slice(start).map((part) => this.#meets(part, element));
      return every(own) === false ? false : undefined;
    }
    return this.#match(parts, parts.length - 1, element);
  }

  #match(parts: Selector[], from: number, element: Element): Truth {
    let result: Truth = true;
    for (let at = from; at >= 0; at -= 1) {
      const part = parts[at] as Selector;
      this.#steps += 1;
      this.#ofPage += 1;
      if (this.#steps > mostSteps || this.#ofPage > mostOfPage) return undefined;
      if (isTraversal(part)) {
        return every([result, this.#beyond(part, parts, at - 1, element)]);
      }
      const met = this.#meets(part, element);
      if (met === false) return false;
      result = every([result, met]);
    }
    return result;
  }

  #beyond(part: Selector, parts: Selector[], at: number, element: Element): Truth {
    switch (part.type) {
      case 'child':
        return element.parent ? this.#match(parts, at, element.parent) : false;
      case 'descendant': {
        let result: Truth = false;
        for (let up = element.parent; up; up = up.parent) {
          result = some([result, this.#match(parts, at, up)]);
          if (result) break;
        }
        return result;
      }
      case 'adjacent':
      case 'sibling': {
        const earlier = (element.parent?.children ?? []).filter((e) => e.index < element.index);
        const near = part.type === 'adjacent' ? earlier.slice(-1) : earlier.reverse();
        const met = some(near.map((each) => this.#match(parts, at, each)));
        const isAll = part.type === 'adjacent' || near.length === element.index - 1;
        return met || isAll ? met : undefined;
      }
      default:
        return undefined;
    }
  }

  #meets(part: Selector, element: Element): Truth {
    switch (part.type) {
      case 'universal':
        return true;
      case 'tag':
        return part.name === '*' || part.name.toLowerCase() === element.tag;
      case 'attribute':
        return hasAttribute(part, element) || this.#never(element);
      case 'pseudo':
        return this.#isInState(part.name, part.data, element);
      default:
        return undefined;
    }
  }

  /** What is false now, and may become true. */
  #never(element: Element): Truth {
    return this.mayChange && element !== this.#subject ? undefined : false;
  }

  #isInState(name: string, data: string | Selector[][] | null, element: Element): Truth {
    const lists = Array.isArray(data) ? data : [];
    switch (name) {
      case 'is':
      case 'where':
      case 'matches':
      case 'any':
      case '-webkit-any':
        return some(lists.map((list) => this.#match(list, list.length - 1, element)));
      case 'not':
        return not(some(lists.map((list) => this.#match(list, list.length - 1, element))));
      case 'root':
      case 'scope':
        return element.parent === undefined;
      case 'first-child':
        return element.index === 1;
      case 'first-of-type':
        return element.indexOfType === 1;
      case 'nth-child':
        return isNth(String(data), element.index);
      case 'nth-of-type':
        return isNth(String(data), element.indexOfType);
      case 'any-link':
        return /^(?:a|area)$/.test(element.tag) && element.attributes.href !== undefined;
      case 'defined':
        return element.tag.includes('-') ? undefined : true;
      case 'popover-open':
      case 'modal':
      case 'host':
        return false;
      default:
        return undefined;
    }
  }
}

/** Attributes whose values are compared without regard to case (WHATWG HTML, 4.16.2), the common ones. */
const looseValues = /^(?:align|dir|lang|type|rel|media|method|color|bgcolor|face|hidden|checked)$/;

function hasAttribute(part: AttributeSelector, element: Element): boolean {
  if (part.ignoreCase === 'quirks' && part.name === 'class') {
    return element.classes.includes(part.value);
  }
  if (part.ignoreCase === 'quirks' && part.name === 'id') return element.id === part.value;
  const found = element.attributes[part.name.toLowerCase()];
  if (part.action === 'exists') return found !== undefined;
  if (part.action === 'not') return found !== part.value;
  if (found === undefined) return false;
  const isLoose =
    part.ignoreCase === true || (part.ignoreCase !== false && looseValues.test(part.name));
  const own = isLoose ? found.toLowerCase() : found;
  const value = isLoose ? part.value.toLowerCase() : part.value;
  switch (part.action) {
    case 'equals':
      return own === value;
    case 'element':
      return own.split(/\s+/).includes(value);
    case 'hyphen':
      return own === value || own.startsWith(`${value}-`);
    case 'start':
      return value !== '' && own.startsWith(value);
    case 'end':
      return value !== '' && own.endsWith(value);
    default:
      return value !== '' && own.includes(value);
  }
}

/** `odd`, `even`, `3`, `2n+1`; undefined for `of` and for what is not understood. */
function isNth(formula: string, index: number): Truth {
  const text = formula.replace(/\s+/g, '').toLowerCase();
  if (text === 'odd') return index % 2 === 1;
  if (text === 'even') return index % 2 === 0;
  const [, steps, start] = /^(?:([-+]?\d*)n)?([-+]?\d+)?$/.exec(text) ?? [];
  if (steps === undefined && start === undefined) return undefined;
  const offset = index - Number(start ?? 0);
  if (steps === undefined) return offset === 0;
  const step = /\d/.test(steps) ? Number(steps) : Number(`${steps}1`);
  return step === 0 ? offset === 0 : offset % step === 0 && offset / step >= 0;
}
