import { isOn, readXml } from '../../formats/office/xml.ts';

/** What a paragraph style says about headings and numbering. */
interface ParagraphStyle {
  id: string;
  name: string;
  basedOn?: string;
  /** 0 for the highest heading; 9 is body text (ECMA-376 part 1, 17.3.1.20). */
  outlineLevel?: number;
  numId?: string;
  level?: number;
}

/** A document's styles. */
export interface Styles {
  /** Outline level, 1 to 9, of a heading style; `title` for the document's title. */
  headingOf(styleId: string): number | 'title' | undefined;
  /** The numbering a paragraph has through its style or one it is based on. */
  numberingOf(styleId: string): { numId: string; level?: number; styleId: string } | undefined;
  /** `numId` of a numbering style, for `w:numStyleLink`. */
  numIdOfNumberingStyle(styleId: string): string | undefined;
  /** Style of paragraphs without a style of their own. */
  defaultParagraphStyle: string | undefined;
}

/** Word stops at chains of this length; a cycle would otherwise never end. */
const longestChain = 20;

/** Reads `styles.xml`; without one every paragraph is plain. */
export function readStyles(bytes: Buffer | undefined): Styles {
  const { styles, numberingStyles, defaultParagraphStyle } = parseStyles(bytes);

  const chain = function* (styleId: string): Generator<ParagraphStyle> {
    let next: string | undefined = styleId;
    for (let length = 0; next !== undefined && length < longestChain; length++) {
      const found = styles.get(next);
      if (!found) return;
      yield found;
      next = found.basedOn;
    }
  };

  const headings = new Map<string, number | 'title' | undefined>();
  const findHeading = (styleId: string): number | 'title' | undefined => {
    for (const { name, outlineLevel } of chain(styleId)) {
      if (outlineLevel !== undefined) return outlineLevel < 9 ? outlineLevel + 1 : undefined;
      if (/^title$/i.test(name)) return 'title';
      const named = /^heading (\d)$/i.exec(name);
      if (named) return Number(named[1]);
    }
    // Files written by other programs name the style without defining it.
    const named = styles.has(styleId) ? undefined : /^heading(\d)$/i.exec(styleId);
    return named ? Number(named[1]) : undefined;
  };

  return {
    headingOf(styleId) {
      if (!headings.has(styleId)) headings.set(styleId, findHeading(styleId));
      return headings.get(styleId);
    },
    numberingOf(styleId) {
      let level: number | undefined;
      for (const found of chain(styleId)) {
        level ??= found.level;
        if (found.numId !== undefined) {
          return {
            numId: found.numId,
            styleId: found.id,
            ...(level === undefined ? {} : { level }),
          };
        }
      }
      return undefined;
    },
    numIdOfNumberingStyle: (styleId) => numberingStyles.get(styleId),
    defaultParagraphStyle,
  };
}

/** Paragraph styles by id, and the `numId` of numbering styles by theirs. */
interface StyleTables {
  styles: Map<string, ParagraphStyle>;
  numberingStyles: Map<string, string>;
  defaultParagraphStyle: string | undefined;
}

function parseStyles(bytes: Buffer | undefined): StyleTables {
  const styles = new Map<string, ParagraphStyle>();
  const numberingStyles = new Map<string, string>();
  let defaultParagraphStyle: string | undefined;
  let style: ParagraphStyle | undefined;
  let kind: string | undefined;

  if (bytes) {
    readXml(bytes, 'styles.xml', {
      open(name, attributes) {
        const value = attributes['w:val'];
        if (name === 'w:style') {
          kind = attributes['w:type'];
          style = { id: attributes['w:styleId'] ?? '', name: '' };
          if (kind === 'paragraph' && isOn(attributes['w:default'] ?? '0')) {
            defaultParagraphStyle = style.id;
          }
        } else if (style && value !== undefined) {
          if (name === 'w:name') style.name = value;
          else if (name === 'w:basedOn') style.basedOn = value;
          else if (name === 'w:outlineLvl') style.outlineLevel = Number(value);
          else if (name === 'w:numId') style.numId = value;
          else if (name === 'w:ilvl') style.level = Number(value);
        }
      },
      close(name) {
        if (name !== 'w:style' || !style) return;
        // The first definition of an id counts (ECMA-376 part 1, 17.7.4.17).
        if (kind === 'paragraph' && !styles.has(style.id)) styles.set(style.id, style);
        if (kind === 'numbering' && style.numId) numberingStyles.set(style.id, style.numId);
        style = undefined;
      },
    });
  }
  return { styles, numberingStyles, defaultParagraphStyle };
}
