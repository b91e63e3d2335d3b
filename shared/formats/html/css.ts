/**
 * The style sheets in a page, as far as they can hide text. Selectors of a single element are
 * understood; of others only the last part is known, so their rules may or may not apply.
 */

/** Property names, in lower case, to values. */
export type Declarations = Map<string, string>;

/** The properties that decide whether text is seen. */
const relevant = new Set(
  (
    'display visibility opacity color background-color background-image font-size position left top ' +
    'right bottom text-indent margin-left margin-top clip clip-path width height max-width max-height ' +
    'overflow transform text-shadow background-clip -webkit-background-clip float ' +
    'content-visibility -webkit-text-fill-color'
  ).split(' '),
);

/** What a `style` attribute or the block of a rule says; important declarations apart. */
export interface Block {
  normal: Declarations;
  important: Declarations;
}

/** Characters of a block that are read, and of a selector: bounds on the time that they take. */
const longestBlock = 20_000;
const longestSelector = 1_000;
/** Groups of rules within groups that are read. */
const deepestGroup = 20;

const declarationText = /(?:[^;"'(]|"[^"]{0,2000}"|'[^']{0,2000}'|\([^)]{0,2000}\)|["'(])+/g;

/** Reads declarations, with the shorthands `background` and `font` taken apart. */
export function readBlock(text: string): Block {
  const block: Block = { normal: new Map(), important: new Map() };
  // A semicolon in a quoted address does not end a declaration.
  const declarations = text.slice(0, longestBlock).match(declarationText) ?? [];
  for (const declaration of declarations) {
    const colon = declaration.indexOf(':');
    if (colon < 0) continue;
    const property = declaration.slice(0, colon).trim().toLowerCase();
    const written = declaration
      .slice(colon + 1)
      .trim()
      .toLowerCase();
    const value = written.replace(/\s*!\s*important$/, '');
    const into = value === written ? block.normal : block.important;
    if (property === 'background') {
      const paints = /url\(|gradient\(|image|var\(/.test(value);
      into.set('background-image', paints ? 'unknown' : 'none');
      into.set('background-color', backgroundColour(value));
    } else if (property === 'font') {
      into.set(
        'font-size',
        /(?:^|\s)([\d.]+(?:[a-z]+|%)?)(?:\s*\/|\s)/.exec(value)?.[1] ?? 'unknown',
      );
    } else if (relevant.has(property)) into.set(property, value);
  }
  return block;
}

/** The colour in a `background`: the only part of it that is one, or none. */
function backgroundColour(value: string): string {
  const found = /#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^()]*\)/.exec(value)?.[0];
  if (found !== undefined) return found;
  const words = value.replace(/url\([^)]*\)/g, '').split(/\s+/);
  const other =
    /^(?:none|no-repeat|repeat(?:-[xy])?|scroll|fixed|local|center|left|right|top|bottom|cover|contain|\/|[\d.-]+(?:px|%|em|pt)?|initial|unset)?$/;
  return words.find((word) => !other.test(word)) ?? 'transparent';
}

interface Rule extends Block {
  tag: string;
  id: string;
  classes: string[];
  /** Ids, classes and tags in its selector (Selectors 4, 17), as one number. */
  specificity: number;
  /** Whether it applies to every element that `tag`, `id` and `classes` describe. */
  isCertain: boolean;
}

/** Rules beyond these are not read: a page may not make its own reading slow. */
const mostRules = 20_000;
const mostOfOneName = 200;

/** What the style sheets of a page say about its elements. */
export class StyleSheet {
  /** Whether it takes in sheets from elsewhere, which are not read. */
  hasForeign = false;
  readonly #rules = new Map<string, Rule[]>();
  /** Every `#id` and `.class` in a selector. */
  readonly #mentioned = new Set<string>();
  readonly #found = new Map<string, Block & { possible: Declarations }>();
  #count = 0;

  /** @param css the texts of the page's `style` elements */
  constructor(css = '') {
    this.#read(css.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, ' ').replace(/<!--|-->/g, ' '), true, 0);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * What applies to an element: what is certain, and what may apply as well.
   * @param classes as in the `class` attribute
   */
  of(tag: string, id: string, classes: string): Block & { possible: Declarations } {
    // Names that no rule mentions decide nothing, and would make every element its own case.
    const ownId = this.#mentioned.has(`#${id}`) ? id : '';
    const own = classes.split(/\s+/).filter((name) => this.#mentioned.has(`.${name}`));
    const key = `${tag}#${ownId} ${own.join(' ')}`;
    const known = this.#found.get(key);
    if (known) return known;
    const names = new Set([tag, '*', `#${ownId}`, ...own.map((name) => `.${name}`)]);
    const rules = [...names]
      .flatMap((name) => this.#rules.get(name) ?? [])
      .filter((rule) => isMet(rule, tag, ownId, own))
      .sort((a, b) => a.specificity - b.specificity);
    const found = { normal: new Map(), important: new Map(), possible: new Map() };
    for (const { isCertain, normal, important } of rules) {
      for (const [property, value] of isCertain ? normal : [...normal, ...important]) {
        (isCertain ? found.normal : found.possible).set(property, value);
      }
      if (isCertain)
        for (const [property, value] of important) found.important.set(property, value);
    }
    if (this.#found.size > 10_000) this.#found.clear();
    this.#found.set(key, found);
    return found;
  }

  #read(css: string, isCertain: boolean, depth: number): void {
    if (depth > deepestGroup) return;
    let at = 0;
    while (at < css.length) {
      const end = css.slice(at).search(/[{;}]/);
      if (end < 0) return;
      const prelude = css.slice(at, at + end).trim();
      const mark = css[at + end];
      at += end + 1;
      if (mark !== '{') {
        if (/^@import/i.test(prelude)) this.hasForeign = true;
        continue;
      }
      const close = endOfBlock(css, at);
      const block = css.slice(at, close);
      at = close + 1;
      if (prelude.startsWith('@')) this.#group(prelude, block, isCertain, depth);
      else this.#rule(prelude, block, isCertain);
    }
  }

  /** An at-rule: those with a condition may apply, `print` and the like do not. */
  #group(prelude: string, block: string, isCertain: boolean, depth: number): void {
    const [, name = '', condition = ''] = /^@([\w-]+)\s*(.*)$/s.exec(prelude) ?? [];
    if (!/^(?:media|supports|layer|container|document)$/i.test(name)) return;
    if (/^(?:only\s+)?(?:print|speech)$/i.test(condition.trim())) return;
    const isAlways =
      /^media$/i.test(name) && /^(?:only\s+)?(?:all|screen)?$/i.test(condition.trim());
    this.#read(block, isCertain && isAlways, depth + 1);
  }

  #rule(prelude: string, block: string, isCertain: boolean): void {
    const declarations = readBlock(block);
    if (declarations.normal.size + declarations.important.size === 0) return;
    for (const selector of prelude.replace(/\([^()]*\)/g, '()').split(',')) {
      if (this.#count >= mostRules) return;
      const rule = ruleOf(selector.trim(), declarations, isCertain);
      if (!rule) continue;
      const name = rule.id ? `#${rule.id}` : rule.classes[0] ? `.${rule.classes[0]}` : rule.tag;
      const rules = this.#rules.get(name) ?? [];
      if (rules.length >= mostOfOneName) continue;
      rules.push(rule);
      if (rule.id) this.#mentioned.add(`#${rule.id}`);
      for (const each of rule.classes) this.#mentioned.add(`.${each}`);
      this.#rules.set(name, rules);
      this.#count += 1;
    }
  }
}

function endOfBlock(css: string, start: number): number {
  const braces = /[{}]/g;
  braces.lastIndex = start;
  let depth = 1;
  for (let found = braces.exec(css); found; found = braces.exec(css)) {
    depth += found[0] === '{' ? 1 : -1;
    if (depth === 0) return found.index;
  }
  return css.length;
}

function ruleOf(selector: string, block: Block, isCertain: boolean): Rule | undefined {
  // Text that a pseudo-element adds is not in the page.
  if (selector === '' || selector.length > longestSelector) return undefined;
  if (/::|:(?:before|after|first-l|placeholder)/i.test(selector)) return undefined;
  const last = selector.split(/[\s>+~]+/).at(-1) ?? '';
  const plain = last.replace(/:[\w-]+(?:\(\))?|\[[^\]]*\]/g, '');
  if (!/^(?:\*|[a-z][\w-]*)?(?:[.#][\w-]+)*$/i.test(plain)) return undefined;
  const tag = /^[a-z][\w-]*/i.exec(plain)?.[0].toLowerCase() ?? '*';
  const ids = [...plain.matchAll(/#([\w-]+)/g)].map(([, name = '']) => name);
  const classes = [...plain.matchAll(/\.([\w-]+)/g)].map(([, name = '']) => name);
  return {
    ...block,
    tag,
    id: ids[0] ?? '',
    classes,
    specificity: ids.length * 10_000 + classes.length * 100 + (tag === '*' ? 0 : 1),
    isCertain: isCertain && plain === selector && ids.length < 2,
  };
}

function isMet(rule: Rule, tag: string, id: string, classes: string[]): boolean {
  return (
    (rule.tag === '*' || rule.tag === tag) &&
    (rule.id === '' || rule.id === id) &&
    rule.classes.every((name) => classes.includes(name))
  );
}
