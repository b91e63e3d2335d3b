import { type CSSToken, TokenType, tokenizer } from '@csstools/css-tokenizer';

/** What a style sheet is made of (CSS Syntax 3, 5): declarations, rules, and at-rules. */

export interface DeclarationItem {
  kind: 'declaration';
  /** In lower case, but for variables. */
  name: string;
  value: string;
  isImportant: boolean;
}

interface RuleItem {
  kind: 'rule';
  prelude: CSSToken[];
  items: Item[];
}

interface AtRuleItem {
  kind: 'at-rule';
  name: string;
  prelude: CSSToken[];
  /** undefined without a block. */
  items: Item[] | undefined;
}

export type Item = DeclarationItem | RuleItem | AtRuleItem;

/** Blocks within blocks that are read. */
const deepest = 20;
/** Tokens before a block, or of a declaration, that are kept. */
const longestRun = 5_000;

/** What opens a pair, and what closes it. */
const pairs: ReadonlyMap<string, string> = new Map([
  [TokenType.OpenParen, TokenType.CloseParen],
  [TokenType.Function, TokenType.CloseParen],
  [TokenType.OpenSquare, TokenType.CloseSquare],
  [TokenType.OpenCurly, TokenType.CloseCurly],
]);

/** Reads a style sheet, or with `isBlock` the text of a `style` attribute. */
export function itemsOf(css: string, isBlock = false): Item[] {
  return new SyntaxReader(css).contents(isBlock ? 1 : 0);
}

class SyntaxReader {
  readonly #tokens: ReturnType<typeof tokenizer>;

  constructor(css: string) {
    this.#tokens = tokenizer({ css });
  }

  /** What is in a block up to its end, or in the sheet where `depth` is 0. */
  contents(depth: number): Item[] {
    const items: Item[] = [];
    for (;;) {
      const token = this.#tokens.nextToken();
      switch (token[0]) {
        case TokenType.EOF:
          return items;
        case TokenType.CloseCurly:
          if (depth > 0) return items;
          break;
        case TokenType.Whitespace:
        case TokenType.Comment:
        case TokenType.Semicolon:
        case TokenType.CDO:
        case TokenType.CDC:
          break;
        case TokenType.AtKeyword: {
          const { run, end } = this.#run(undefined, depth, true);
          const content = end === '{' ? this.#block(depth) : undefined;
          const name = token[4].value.toLowerCase();
          items.push({ kind: 'at-rule', name, prelude: run, items: content });
          if (end === '}') return items;
          break;
        }
        default: {
          const { run, end } = this.#run(token, depth, false);
          if (end === '{') items.push({ kind: 'rule', prelude: run, items: this.#block(depth) });
          else {
            const declaration = declarationOf(run);
            if (declaration) items.push(declaration);
          }
          if (end === '}') return items;
        }
      }
    }
  }

  #block(depth: number): Item[] {
    if (depth < deepest) return this.contents(depth + 1);
    this.#run(undefined, 1, false, true);
    return [];
  }

  /** Tokens up to the `{`, `;` or `}` that ends them. */
  #run(first: CSSToken | undefined, depth: number, isAtRule: boolean, isSkipped = false) {
    const run: CSSToken[] = [];
    const isVariable = first?.[0] === TokenType.Ident && first[4].value.startsWith('--');
    const open: string[] = [];
    let token = first ?? this.#tokens.nextToken();
    for (; token[0] !== TokenType.EOF; token = this.#tokens.nextToken()) {
      const kind = token[0];
      if (open.length === 0 && !isSkipped) {
        if (kind === TokenType.Semicolon && (depth > 0 || isAtRule)) return { run, end: ';' };
        if (kind === TokenType.OpenCurly && !isVariable) return { run, end: '{' };
      }
      if (open.length === 0 && kind === TokenType.CloseCurly && depth > 0) return { run, end: '}' };
      const close = pairs.get(kind);
      if (close) open.push(close);
      else if (open.at(-1) === kind) open.pop();
      if (run.length < longestRun) run.push(token);
    }
    return { run, end: 'eof' };
  }
}

function declarationOf(run: CSSToken[]): DeclarationItem | undefined {
  const [first] = run;
  if (first?.[0] !== TokenType.Ident) return undefined;
  let at = 1;
  while (isSpace(run[at])) at += 1;
  if (run[at]?.[0] !== TokenType.Colon) return undefined;
  let end = run.length;
  while (isSpace(run[end - 1])) end -= 1;
  let isImportant = false;
  const last = run[end - 1];
  if (last?.[0] === TokenType.Ident && last[4].value.toLowerCase() === 'important') {
    let mark = end - 2;
    while (isSpace(run[mark])) mark -= 1;
    const before = run[mark];
    isImportant = before?.[0] === TokenType.Delim && before[4].value === '!';
    if (isImportant) end = mark;
  }
  const name = plain([first]);
  return { kind: 'declaration', name, value: plain(run.slice(at + 1, end)), isImportant };
}

function isSpace(token: CSSToken | undefined): boolean {
  return token?.[0] === TokenType.Whitespace || token?.[0] === TokenType.Comment;
}

/** Tokens as text without comments and escapes, in lower case but for strings and variables. */
export function plain(tokens: CSSToken[]): string {
  let out = '';
  for (const token of tokens) {
    switch (token[0]) {
      case TokenType.Comment:
      case TokenType.Whitespace:
        out += ' ';
        break;
      case TokenType.Ident:
        out += token[4].value.startsWith('--') ? token[4].value : token[4].value.toLowerCase();
        break;
      case TokenType.Function:
        out += `${token[4].value.toLowerCase()}(`;
        break;
      case TokenType.Hash:
        out += `#${token[4].value.toLowerCase()}`;
        break;
      case TokenType.Dimension:
        out += `${token[4].value}${token[4].unit.toLowerCase()}`;
        break;
      case TokenType.String:
      case TokenType.URL:
        out += token[1];
        break;
      default:
        out += token[1].toLowerCase();
    }
  }
  return out.trim();
}
