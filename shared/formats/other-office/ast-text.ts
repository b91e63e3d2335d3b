import type { OfficeContentNode } from 'officeparser';
import {
  joinBlocks,
  type MarkdownBlock,
  type MarkdownCell,
  nestedTableBlocks,
  spanOf,
  tableBlocks,
} from '../office/markdown-blocks.ts';

/** Markdown-like text of a document as read by officeparser. */

export interface OfficeText {
  blocks: MarkdownBlock[];
  images: number;
  charts: number;
}

/** What officeparser does not read and is added to a slide: text of diagrams, data of charts. */
export type SlideAdditions = Map<number, MarkdownBlock[]>;

/** What is known of a presentation's slides, by their numbers. */
interface SlideFacts {
  /** Slides that the parser left out as empty are added too. */
  additions?: SlideAdditions;
  /** Slides that are not shown; their headings say so. */
  hidden?: ReadonlySet<number>;
}

/** @param nodes the parser's content */
export function officeText(
  nodes: OfficeContentNode[],
  { additions = new Map(), hidden = new Set() }: SlideFacts = {},
): OfficeText {
  const writer = new NodeWriter(hidden);
  const seen = new Set<number>();
  const parts: { slide: number; blocks: MarkdownBlock[] }[] = [];
  for (const node of nodes) {
    const slide = node.type === 'slide' ? (node.metadata?.slideNumber ?? 0) : 0;
    const blocks = writer.block(node);
    if (slide > 0) {
      seen.add(slide);
      blocks.splice(1, 0, ...(additions.get(slide) ?? []));
    }
    parts.push({ slide, blocks });
  }
  for (const [slide, blocks] of additions) {
    if (!seen.has(slide))
      parts.push({ slide, blocks: [slideHeading(slide, hidden.has(slide)), ...blocks] });
  }
  const inOrder = additions.size > 0 ? parts.sort((a, b) => a.slide - b.slide) : parts;
  return {
    blocks: [...inOrder.flatMap(({ blocks }) => blocks), ...writer.notes()],
    images: writer.images,
    charts: writer.charts,
  };
}

function slideHeading(slide: number, isHidden: boolean, title = ''): MarkdownBlock {
  const mark = isHidden ? ' (hidden)' : '';
  return paragraph(`# Slide ${slide}${mark}${title === '' ? '' : `: ${title}`}`);
}

function paragraph(text: string): MarkdownBlock {
  return { text, isListItem: false };
}

class NodeWriter {
  images = 0;
  charts = 0;
  readonly #notes: string[] = [];
  readonly #hiddenSlides: ReadonlySet<number>;

  constructor(hiddenSlides: ReadonlySet<number>) {
    this.#hiddenSlides = hiddenSlides;
  }

  block(node: OfficeContentNode): MarkdownBlock[] {
    switch (node.type) {
      case 'heading': {
        const text = this.#inline(node)
          .replace(/\s*\n\s*/g, ' ')
          .trim();
        const level = Math.min(6, Math.max(1, node.metadata?.level ?? 1));
        return text === '' ? [] : [paragraph(`${'#'.repeat(level)} ${text}`)];
      }
      case 'list':
        return this.#listItem(node);
      case 'table':
        return tableBlocks({ rows: this.#rows(node) });
      case 'slide':
        return this.#slide(node);
      case 'break':
        return [];
      case 'page':
      case 'sheet':
      case 'admonition':
      case 'definitionList':
      case 'drawing':
      case 'header':
      case 'footer':
        return this.blocks(node.children ?? []);
      default: {
        const text = this.#inline(node).trim();
        return text === '' ? [] : [paragraph(text)];
      }
    }
  }

  blocks(nodes: OfficeContentNode[]): MarkdownBlock[] {
    return nodes.flatMap((node) => this.block(node));
  }

  /** The footnotes and endnotes so far, under a title. */
  notes(): MarkdownBlock[] {
    if (this.#notes.length === 0) return [];
    return [paragraph(`---\n\nNotes:\n\n${this.#notes.join('\n')}`)];
  }

  #slide(node: OfficeContentNode & { type: 'slide' }): MarkdownBlock[] {
    const [first, ...rest] = node.children ?? [];
    const titled = first?.type === 'heading';
    const title = titled ? this.#inline(first).replace(/\s+/g, ' ').trim() : '';
    const body = titled ? rest : (node.children ?? []);
    const number = node.metadata?.slideNumber ?? 0;
    const heading = slideHeading(number, this.#hiddenSlides.has(number), title);
    const blocks = [heading, ...this.blocks(body)];
    for (const note of node.notes ?? []) {
      const text = joinBlocks(this.blocks(note.children ?? []));
      if (text !== '') blocks.push(paragraph(`Speaker notes: ${text}`));
    }
    for (const comment of node.comments ?? []) blocks.push(...this.#comment(comment));
    return blocks;
  }

  #comment(node: OfficeContentNode): MarkdownBlock[] {
    const text = joinBlocks(this.blocks(node.children ?? [])) || (node.text ?? '');
    if (text === '') return [];
    const author = node.type === 'comment' ? node.metadata?.author : undefined;
    return [paragraph(`Comment${author ? ` by ${author}` : ''}: ${text}`)];
  }

  #listItem(node: OfficeContentNode & { type: 'list' }): MarkdownBlock[] {
    const { metadata } = node;
    const text = this.#inline(node).trim();
    if (text === '') return [];
    const indent = '  '.repeat(Math.min(8, metadata?.indentation ?? 0));
    const number = `${(metadata?.itemIndex ?? 0) + 1}.`;
    const box = metadata?.isTask ? `[${metadata.checked ? 'x' : ' '}] ` : '';
    const mark = metadata?.listType === 'ordered' ? number : '-';
    const hanging = text.replaceAll('\n', `\n${indent}  `);
    return [{ text: `${indent}${mark} ${box}${hanging}`, isListItem: true }];
  }

  #rows(table: OfficeContentNode): MarkdownCell[][] {
    return (table.children ?? []).map((row) => {
      const cells: MarkdownCell[] = [];
      let column = 0;
      for (const cell of row.children ?? []) {
        const metadata = cell.type === 'cell' ? cell.metadata : undefined;
        const at = metadata?.col ?? column;
        // Columns covered by a cell of a row above.
        if (at > column)
          cells.push({ blocks: [], span: spanOf(String(at - column)), continues: true });
        const span = spanOf(String(metadata?.colSpan ?? 1));
        cells.push({ blocks: this.#cellBlocks(cell), span, continues: false });
        column = at + span;
      }
      return cells;
    });
  }

  #cellBlocks(cell: OfficeContentNode): MarkdownBlock[] {
    const children = cell.children ?? [];
    if (children.every(isInline)) {
      const text = this.#inline(cell).trim();
      return text === '' ? [] : [paragraph(text)];
    }
    return children.flatMap((child) =>
      child.type === 'table' ? nestedTableBlocks({ rows: this.#rows(child) }) : this.block(child),
    );
  }

  /** The text of a node, with references to its notes. */
  #inline(node: OfficeContentNode): string {
    let text = '';
    const children = node.children ?? [];
    if (node.type === 'image') return this.#image(node);
    if (node.type === 'chart') this.charts += 1;
    else if (node.type === 'break') return '\n';
    else if (children.length === 0) text = node.text ?? '';
    else for (const child of children) text += this.#inline(child);

    if (node.type === 'text' && node.metadata?.linkType === 'external') {
      text = linked(text, node.metadata.link ?? '');
    }
    for (const note of node.notes ?? []) text += this.#note(note);
    for (const comment of node.comments ?? []) {
      const said = this.#comment(comment)[0]?.text;
      if (said) text += ` [${said}]`;
    }
    return text;
  }

  #image(node: OfficeContentNode & { type: 'image' }): string {
    this.images += 1;
    const alternative = node.metadata?.altText?.trim();
    return alternative ? `[picture: ${alternative}]` : '[picture]';
  }

  #note(note: OfficeContentNode): string {
    const text = joinBlocks(this.blocks(note.children ?? [])) || (note.text ?? '');
    const mark = `[^${this.#notes.length + 1}]`;
    this.#notes.push(`${mark}: ${text.replace(/\n+/g, '\n    ')}`);
    return mark;
  }
}

function isInline(node: OfficeContentNode): boolean {
  return node.type === 'text' || node.type === 'break' || node.type === 'image';
}

function linked(text: string, target: string): string {
  const shown = text.trim();
  if (shown === '' || target === '' || shown === target) return text;
  if (shown === target.replace(/^mailto:/i, '')) return text;
  return `[${text}](${target})`;
}
