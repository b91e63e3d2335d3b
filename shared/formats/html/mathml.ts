/**
 * Formulas in a page (MathML Core, https://www.w3.org/TR/mathml-core/) as a line of text that keeps what their layout says:
 * `1/2`, `10^6`, `√(x + 1)`, `x_i`. Without it a fraction is `12` and a power `106`.
 */

interface MathNode {
  name: string;
  text: string;
  children: MathNode[];
}

/** Operators that are written with space around them. */
const spaced = /^[=<>≤≥≠≈≡+−±×÷∈∉⊂⊆→⇒⇔↦∧∨∩∪-]$/u;

/** Characters between the parts of a formula that nobody sees: applied function, times, separator, plus. */
const invisible = /[\u2061-\u2064]/g;

/** Reads formulas out of a stream of elements. Each method says whether what came belongs to one. */
export class Formulas {
  #formula: Formula | undefined;
  /** Depth of its `math` element. */
  #depth = 0;

  open(name: string, depth: number): boolean {
    if (this.#formula) {
      this.#formula.open(name);
      return true;
    }
    if (name !== 'math') return false;
    this.#formula = new Formula();
    this.#depth = depth;
    return true;
  }

  add(text: string): boolean {
    this.#formula?.add(text);
    return this.#formula !== undefined;
  }

  /** @returns `undefined` outside of a formula; within one nothing, and at its end the formula */
  close(depth: number): string | undefined {
    if (!this.#formula) return undefined;
    if (depth > this.#depth) {
      this.#formula.close();
      return '';
    }
    const text = String(this.#formula);
    this.#formula = undefined;
    return text;
  }
}

/** The elements below one `math` element. */
class Formula {
  readonly #root: MathNode = { name: 'math', text: '', children: [] };
  readonly #open: MathNode[] = [this.#root];

  open(name: string): void {
    const node = { name, text: '', children: [] };
    this.#open.at(-1)?.children.push(node);
    this.#open.push(node);
  }

  close(): void {
    if (this.#open.length > 1) this.#open.pop();
  }

  add(text: string): void {
    const node = this.#open.at(-1);
    if (node) node.text += text;
  }

  /** The formula in one line. */
  toString(): string {
    return written(this.#root).replace(/\s+/g, ' ').trim();
  }
}

function written({ name, text, children }: MathNode): string {
  const [first, second, third] = children.map((child) => () => written(child));
  const part = (of: (() => string) | undefined): string => grouped(of?.() ?? '');
  switch (name) {
    case 'mfrac':
      return `${part(first)}/${part(second)}`;
    case 'msup':
    case 'mover':
      return `${part(first)}^${part(second)}`;
    case 'msub':
    case 'munder':
      return `${part(first)}_${part(second)}`;
    case 'msubsup':
    case 'munderover':
      return `${part(first)}_${part(second)}^${part(third)}`;
    case 'msqrt':
      return `√${part(() => joined(children))}`;
    case 'mroot':
      return `${part(first)}^(1/${part(second)})`;
    case 'mfenced':
      return `(${children.map(written).join(', ')})`;
    case 'mtable':
      return `[${children.map(written).join('; ')}]`;
    case 'mtr':
    case 'mlabeledtr':
      return children.map(written).join(', ');
    // A formula with what it stands for in other notations: the first child is what a reader sees.
    case 'semantics':
      return first?.() ?? '';
    case 'annotation':
    case 'annotation-xml':
    case 'mphantom':
      return '';
    case 'mspace':
      return ' ';
    case 'mo': {
      const sign = text.replace(invisible, '').trim();
      return spaced.test(sign) ? ` ${sign} ` : sign;
    }
    default:
      return children.length > 0 ? joined(children) : text.replace(invisible, '');
  }
}

const joined = (children: readonly MathNode[]): string => children.map(written).join('');

/** In parentheses unless it is one number or name, or has parentheses already. */
function grouped(text: string): string {
  const bare = text.trim();
  return /^[\p{L}\p{M}\p{N}.,′″°%∞]*$/u.test(bare) || /^[([][^()[\]]*[)\]]$/.test(bare)
    ? bare
    : `(${bare})`;
}
