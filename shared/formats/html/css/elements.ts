/** An element as far as selectors look at it. */
export interface Element {
  tag: string;
  id: string;
  classes: string[];
  attributes: Record<string, string>;
  parent: Element | undefined;
  /** Its place among its parent's children, and among those of its tag, from 1. */
  index: number;
  indexOfType: number;
  /** Its last children so far, and how many of each tag there have been. */
  children: Element[];
  count: number;
  counts: Map<string, number>;
}

/** Earlier siblings that are remembered. */
const remembered = 32;
/** What browsers add where a page has none. */
const added: ReadonlySet<string> = new Set(['html', 'body', 'tbody']);
const ofHead = /^(?:title|meta|link|style|script|base)$/;

export function newElement(
  tag: string,
  attributes: Record<string, string>,
  parent: Element | undefined,
): Element {
  const element: Element = {
    tag,
    id: '',
    classes: [],
    attributes,
    parent,
    index: 1,
    indexOfType: 1,
    children: [],
    count: 0,
    counts: new Map(),
  };
  describe(element, attributes);
  if (!parent) return element;
  parent.count += 1;
  element.index = parent.count;
  element.indexOfType = (parent.counts.get(tag) ?? 0) + 1;
  parent.counts.set(tag, element.indexOfType);
  parent.children.push(element);
  if (parent.children.length > remembered * 2) parent.children.splice(0, remembered);
  // The children of an element that is closed are looked at no more.
  const before = parent.children.at(-2);
  if (before) before.children = [];
  return element;
}

function describe(element: Element, attributes: Record<string, string>): void {
  element.attributes = attributes;
  element.id = attributes.id ?? '';
  element.classes = attributes.class?.split(/\s+/).filter(Boolean) ?? [];
}

/** The tag of an element, its `#id` and its `.classes`. */
export function namesOf({ tag, id, classes }: Element): string[] {
  const names = [tag];
  if (id !== '') names.push(`#${id}`);
  for (const each of classes) names.push(`.${each}`);
  return names;
}

/** The elements that are open. Browsers add `html`, `head`, `body` and `tbody` where a page has none. */
export class OpenElements {
  readonly html = newElement('html', {}, undefined);
  readonly #head = newElement('head', {}, this.html);
  readonly body = newElement('body', {}, this.html);
  readonly #open: Element[] = [];
  /** How many elements with each tag, `#id` and `.class` are open. */
  readonly #names = new Map<string, number>();

  enter(tag: string, attributes: Record<string, string>): Element {
    const element = this.#place(tag, attributes);
    this.#open.push(element);
    for (const name of namesOf(element)) this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    return element;
  }

  leave(): void {
    const element = this.#open.pop();
    if (!element) return;
    for (const name of namesOf(element)) {
      const count = this.#names.get(name) ?? 0;
      if (count > 1) this.#names.set(name, count - 1);
      else this.#names.delete(name);
    }
  }

  /** Whether an element with this tag, `#id` or `.class` is open. */
  has(name: string): boolean {
    return this.#names.has(name) || added.has(name);
  }

  #place(tag: string, attributes: Record<string, string>): Element {
    const own = { html: this.html, head: this.#head, body: this.body }[tag];
    if (own) {
      describe(own, attributes);
      return own;
    }
    const top = this.#open.at(-1) ?? this.html;
    if (top === this.html) {
      const isOfHead = this.body.count === 0 && ofHead.test(tag);
      return newElement(tag, attributes, isOfHead ? this.#head : this.body);
    }
    if (tag !== 'tr' || top.tag !== 'table') return newElement(tag, attributes, top);
    const last = top.children.at(-1);
    const group = last?.tag === 'tbody' ? last : newElement('tbody', {}, top);
    return newElement(tag, attributes, group);
  }
}
