import { readTheme } from '../../formats/office/theme.ts';
import type { Attributes } from '../../formats/office/xml.ts';
import { HiddenWords, withoutTags } from '../../formats/safety/visibility.ts';
import { escapeXml } from '../model/escape.ts';
import { readLooks } from '../model/looks.ts';
import { partOf } from '../model/relationships.ts';
import { pageBackdrop, Visibility } from '../model/visibility.ts';
import type { Facts } from './facts.ts';
import type { DocxPackage, Relationships } from './package.ts';
import {
  attribute,
  elements,
  fragment,
  isElement,
  localName,
  setChildren,
  textOf,
  type XmlElement,
  type XmlNode,
} from './xml.ts';

/** Removes from a story, before any other pass, what a reader of the document does not see. */
export type HidePass = (story: XmlElement) => void;

/** What takes the notes of hidden references out of their part. */
export interface Hiding {
  hide: HidePass;
  /** Removes the notes or comments whose only references are hidden, and counts their words. */
  hideNotes(kind: 'footnote' | 'endnote' | 'comment', notes: XmlElement): void;
}

/** Earlier states of the text, which later passes remove. */
const skipped = /^(del|moveFrom|tblGrid|sdtEndPr|.*Change)$/;

/** What is text in a run. */
const texts = /^(t|sym|noBreakHyphen)$/;
/** What a run holds besides text, which is seen even if the text is only tiny or white. */
const others =
  /^(tab|ptab|br|cr|footnoteReference|endnoteReference|commentReference|drawing|pict|object|ruby|AlternateContent)$/;
const references = /^(footnote|endnote|comment)Reference$/;

/**
 * Prepares the first pass. It decides by the same rules as the text route (`Visibility`), and takes
 * `w:vanish` out of what remains: docx-preview lets a hidden style win over a run that is not hidden.
 */
export async function hidingOf(
  pkg: DocxPackage,
  relationships: Relationships,
  facts: Facts,
): Promise<Hiding> {
  const bytes = async (type: string) => {
    const name = partOf(relationships, type);
    return name === undefined ? undefined : asBuffer(await pkg.bytes(name));
  };
  const margins = [...relationships.values()]
    .filter(({ type, external }) => !external && (type === 'header' || type === 'footer'))
    .map(({ target }) => target);
  const parts = await Promise.all([pkg.main, ...margins].map((name) => pkg.bytes(name)));
  const page = pageBackdrop(parts.filter((part) => part !== undefined));
  const looks = forgiving(await bytes('styles'), await bytes('theme'));
  const words = new HiddenWords();
  let reported = 0;
  const report = () => {
    words.interrupt();
    facts.hiddenWords += words.count - reported;
    reported = words.count;
  };
  const shownNotes = new Set<string>();
  const hiddenNotes = new Set<string>();
  return {
    hide(story) {
      new HidingWalk(new Visibility(looks, page), words, shownNotes, hiddenNotes).walk(story);
      report();
    },
    hideNotes(kind, notes) {
      const isHidden = (note: XmlElement) => {
        const key = `${kind} ${attribute(note, 'id') ?? ''}`;
        return hiddenNotes.has(key) && !shownNotes.has(key);
      };
      for (const note of elements(notes).filter(isHidden)) {
        words.add(elements(note, 'p').map(textOf).join(' '));
        words.interrupt();
      }
      setChildren(
        notes,
        notes.children.filter((node) => !isElement(node) || !isHidden(node)),
      );
      report();
    },
  };
}

function asBuffer(bytes: Uint8Array | undefined): Buffer | undefined {
  return bytes && Buffer.from(bytes);
}

/** A damaged part does not stop the printing; the normalize step has reported it. */
function forgiving(styles: Buffer | undefined, theme: Buffer | undefined) {
  try {
    return readLooks(styles, readTheme(theme));
  } catch {
    return readLooks(undefined, new Map());
  }
}

/** One walk over a story. Not recursive, so depth costs no stack. */
class HidingWalk {
  readonly #visibility: Visibility;
  readonly #words: HiddenWords;
  readonly #shown: Set<string>;
  readonly #hidden: Set<string>;
  /** Branches that the text route does not read: their words are not counted again. */
  #alternatives = 0;

  constructor(visibility: Visibility, words: HiddenWords, shown: Set<string>, hidden: Set<string>) {
    this.#visibility = visibility;
    this.#words = words;
    this.#shown = shown;
    this.#hidden = hidden;
  }

  walk(story: XmlElement): void {
    const stack: { element: XmlElement; isEnd: boolean }[] = [];
    const push = (parent: XmlElement) => {
      for (const element of elements(parent).reverse()) stack.push({ element, isEnd: false });
    };
    push(story);
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { element, isEnd } = next;
      if (isEnd) this.#leave(element);
      else if (!skipped.test(localName(element))) {
        this.#enter(element);
        stack.push({ element, isEnd: true });
        push(element);
      }
    }
  }

  #enter(element: XmlElement): void {
    const name = localName(element);
    if (isLaterBranch(element)) this.#alternatives += 1;
    this.#visibility.open(canonical(element), attributesOf(element));
    if (name === 'p') this.#words.interrupt();
    if (name === 't') this.#text(element);
    const kind = references.exec(name)?.[1];
    if (kind === undefined) return;
    const notes = this.#visibility.isAbsent ? this.#hidden : this.#shown;
    notes.add(`${kind} ${attribute(element, 'id') ?? ''}`);
  }

  #text(element: XmlElement): void {
    const text = textOf(element);
    if (!this.#visibility.isHidden) {
      this.#words.interrupt();
      const shown = withoutTags(text, (spelt) => this.#words.add(spelt));
      if (shown !== text) setChildren(element, fragment(escapeXml(shown)));
    } else if (this.#alternatives === 0) this.#words.add(text);
  }

  /** Leaves an element, when its properties and content have been read. */
  #leave(element: XmlElement): void {
    const name = localName(element);
    if (name === 'r') this.#removeHidden(element);
    if (name === 'rPr') remove(element, (child) => /^(vanish|specVanish)$/.test(localName(child)));
    if (name === 'p') this.#words.interrupt();
    if (isLaterBranch(element)) this.#alternatives -= 1;
    this.#visibility.close(canonical(element));
  }

  #removeHidden(run: XmlElement): void {
    const { isHidden, isAbsent } = this.#visibility;
    if (!isHidden) return;
    remove(run, (child) => {
      const name = localName(child);
      return texts.test(name) || (isAbsent && others.test(name));
    });
  }
}

function remove(parent: XmlElement, isGone: (child: XmlElement) => boolean): void {
  setChildren(
    parent,
    parent.children.filter((node: XmlNode) => !isElement(node) || !isGone(node)),
  );
}

/** A branch of `mc:AlternateContent` other than the first. */
function isLaterBranch(element: XmlElement): boolean {
  const { parent } = element;
  if (!parent || !isElement(parent) || localName(parent) !== 'AlternateContent') return false;
  return elements(parent)[0] !== element;
}

/** The prefixes that change what a name means; any other element goes by its local name. */
function canonical(element: XmlElement): string {
  const prefix = /^(w14|wp|a|m)(?=:)/.exec(element.name)?.[0] ?? 'w';
  return `${prefix}:${localName(element)}`;
}

function attributesOf(element: XmlElement): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(element.attribs)) {
    const local = key.slice(key.indexOf(':') + 1);
    attributes[local] ??= value;
    attributes[`w:${local}`] ??= value;
  }
  return attributes;
}
