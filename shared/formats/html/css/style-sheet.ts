import { type CSSToken, TokenType } from '@csstools/css-tokenizer';
import { type Block, type Declarations, declare } from './block.ts';
import { every, isMediaMet, isSupported, type Truth } from './conditions.ts';
import { type Element, namesOf, type OpenElements } from './elements.ts';
import { type Compiled, compile, Matcher } from './selectors.ts';
import { type Item, itemsOf, plain } from './syntax.ts';

/** The text of one `style` element, or of one file. */
export interface SheetText {
  css: string;
  media: string;
}

export interface Rule extends Block {
  selector: Compiled;
  /** Its place in the cascade but for specificity: the layers it is in, by number. */
  layer: number[];
  order: number;
  /** Whether it applies to every element that its selector describes. */
  isCertain: boolean;
}

/** Rules beyond these are not read: a page may not make its own reading slow. */
const mostRules = 20_000;
const mostOfOneName = 400;
/** Characters of all the style sheets of a page that are read. */
const longest = 2_000_000;

/** Where rules stand in a sheet. */
interface Scope {
  isCertain: boolean;
  layer: string[];
  /** The selectors of the rules around, as `:is(…)`. */
  parent: string;
}

/** What the style sheets of a page say about its elements. */
export class StyleSheet {
  /** Whether it takes in sheets from elsewhere, which are not read. */
  hasForeign = false;
  /** Variables that `@property` gives a value. */
  readonly variables = new Map<string, string>();
  readonly #matcher = new Matcher();
  readonly #rules = new Map<string, Rule[]>();
  readonly #layers = new Map<string, number>();
  #count = 0;
  #read = 0;

  constructor(sheets: SheetText[] = []) {
    for (const { css, media } of sheets) {
      const isMet = isMediaMet(media.toLowerCase());
      if (isMet === false || this.#read > longest) continue;
      this.#read += css.length;
      this.#items(itemsOf(css.slice(0, longest)), {
        isCertain: isMet === true,
        layer: [],
        parent: '',
      });
    }
  }

  /** Whether the page has scripts, which may change its elements. */
  set hasScripts(value: boolean) {
    this.#matcher.mayChange = value;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** The rules that apply or may apply to an element, the weakest first. */
  rulesOf(element: Element, open: OpenElements): { rule: Rule; isCertain: boolean }[] {
    const names = new Set(['*', ...namesOf(element)]);
    const found: { rule: Rule; isCertain: boolean }[] = [];
    for (const name of names) {
      for (const rule of this.#rules.get(name) ?? []) {
        const met: Truth = this.#matcher.matches(rule.selector, element, open);
        if (met !== false) found.push({ rule, isCertain: rule.isCertain && met === true });
      }
    }
    return found.length < 2 ? found : found.sort((a, b) => compare(a.rule, b.rule));
  }

  #items(items: Item[], scope: Scope): void {
    const own: Block = { normal: new Map(), important: new Map() };
    for (const item of items) {
      if (item.kind === 'declaration') declare(own, item);
      else if (item.kind === 'rule') this.#rule(item.prelude, item.items, scope);
      else this.#atRule(item.name, plain(item.prelude), item.items, scope);
    }
    if (scope.parent !== '') this.#add(scope.parent, own, scope);
  }

  #rule(prelude: CSSToken[], items: Item[], scope: Scope): void {
    const selector = nested(prelude, scope.parent);
    this.#items(items, { ...scope, parent: selector });
  }

  #atRule(name: string, condition: string, items: Item[] | undefined, scope: Scope): void {
    if (name === 'import') this.hasForeign = true;
    if (name === 'layer' && !items) {
      for (const each of condition.split(',')) this.#layerOf([...scope.layer, ...path(each)]);
    }
    if (!items) return;
    const within = (met: Truth) => {
      if (met === false) return;
      this.#items(items, { ...scope, isCertain: every([scope.isCertain, met]) === true });
    };
    switch (name) {
      case 'media':
        within(isMediaMet(condition));
        break;
      case 'supports':
        within(isSupported(condition));
        break;
      case 'layer': {
        const layer = [...scope.layer, ...(path(condition).length > 0 ? path(condition) : ['\0'])];
        if (layer.at(-1) === '\0') layer[layer.length - 1] = `\0${this.#layers.size}`;
        this.#items(items, { ...scope, layer });
        break;
      }
      case 'property':
        this.#property(condition, items);
        break;
      case 'container':
      case 'document':
      case '-moz-document':
      case 'scope':
        within(undefined);
        break;
      default:
    }
  }

  #property(name: string, items: Item[]): void {
    for (const item of items) {
      if (item.kind === 'declaration' && item.name === 'initial-value') {
        this.variables.set(name, item.value);
      }
    }
  }

  /** The numbers of a layer and those around it; what is in none is stronger than all. */
  #layerOf(layer: string[]): number[] {
    const numbers = layer.slice(0, 20).map((_, at) => {
      const name = layer.slice(0, at + 1).join('.');
      const number = this.#layers.get(name) ?? this.#layers.size;
      if (this.#layers.size < mostRules) this.#layers.set(name, number);
      return number;
    });
    return [...numbers, Number.POSITIVE_INFINITY];
  }

  #add(selectors: string, block: Block, scope: Scope): void {
    const layer = this.#layerOf(scope.layer);
    if (block.normal.size + block.important.size === 0) return;
    const compiled = compile(selectors);
    for (const selector of compiled?.selectors ?? []) {
      if (this.#count >= mostRules) return;
      const part = ofPseudo(selector.pseudo, block);
      const rules = this.#rules.get(selector.key) ?? [];
      if (!part || rules.length >= mostOfOneName) continue;
      const isCertain = scope.isCertain && compiled?.isSure === true;
      rules.push({ ...part, selector, layer, order: this.#count, isCertain });
      this.#rules.set(selector.key, rules);
      this.#count += 1;
    }
  }
}

/** What rules for a part of an element, or for a box beside its text, say about the text. */
function ofPseudo(pseudo: string, block: Block): Block | undefined {
  if (pseudo === '') return block;
  const says = (property: string) => block.normal.has(property) || block.important.has(property);
  const normal: Declarations = new Map();
  if (/^(?:before|after)$/.test(pseudo) && (says('background-color') || says('background-image'))) {
    // It may be painted behind the text.
    normal.set('--\0painted', 'unknown');
  } else if (/^first-l/.test(pseudo)) {
    normal.set('--\0drawn', 'unknown');
  }
  return normal.size > 0 ? { normal, important: new Map() } : undefined;
}

function path(layer: string): string[] {
  return layer.trim().split('.').filter(Boolean);
}

function compare(a: Rule, b: Rule): number {
  for (const [at, number] of a.layer.entries()) {
    const other = b.layer[at] ?? 0;
    if (number !== other) return number < other ? -1 : 1;
  }
  return a.selector.specificity - b.selector.specificity || a.order - b.order;
}

/** A selector with that of the rule around put in (CSS Nesting 1). */
function nested(prelude: CSSToken[], parent: string): string {
  let text = '';
  let hasParent = false;
  const around = parent === '' ? ':root' : `:is(${parent})`;
  for (const token of prelude) {
    if (token[0] === TokenType.Comment) text += '';
    else if (token[0] === TokenType.Delim && token[4].value === '&') {
      hasParent = true;
      text += around;
    } else text += token[1];
    if (text.length > 2_000) return '\0';
  }
  text = text.trim();
  if (parent === '' || hasParent) return text;
  return splitList(prelude)
    .map((each) => `${around} ${each}`)
    .join(',');
}

/** The selectors of a list, at the commas that are in no parentheses. */
function splitList(prelude: CSSToken[]): string[] {
  const list = [''];
  let open = 0;
  for (const token of prelude) {
    const [kind, text] = token;
    if (kind === TokenType.Function || kind === TokenType.OpenParen) open += 1;
    if (kind === TokenType.CloseParen) open -= 1;
    if (kind === TokenType.Comma && open === 0) list.push('');
    else if (kind !== TokenType.Comment) list[list.length - 1] += text;
  }
  return list.map((each) => each.trim());
}
