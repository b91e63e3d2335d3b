import type { Relationship } from '../../formats/office/package.ts';
import { type Attributes, isOn } from '../../formats/office/xml.ts';
import type { Findings } from './findings.ts';
import { type Paragraph, plainBlock } from './paragraph.ts';

interface Shape {
  hasTextBox: boolean;
  isLine: boolean;
  isPicture: boolean;
  isTextOnly: boolean;
}

const vmlShapes = new Set([
  'v:shape',
  'v:rect',
  'v:roundrect',
  'v:oval',
  'v:polyline',
  'v:curve',
  'v:arc',
  'v:line',
]);

/**
 * Counts what is drawn: pictures, charts, diagrams, equations, shapes. Lines are decoration, and
 * WordArt (nearly always a watermark) is kept as its text.
 */
export class DrawingReader {
  readonly #findings: Findings;
  readonly #relationships: Map<string, Relationship>;
  readonly #hasPart: (name: string) => boolean;
  readonly #shapes: Shape[] = [];

  constructor(
    findings: Findings,
    relationships: Map<string, Relationship>,
    hasPart: (name: string) => boolean,
  ) {
    this.#findings = findings;
    this.#relationships = relationships;
    this.#hasPart = hasPart;
  }

  open(name: string, attributes: Attributes, paragraph: Paragraph | undefined): void {
    const findings = this.#findings;
    switch (name) {
      case 'a:blip':
        this.#picture(attributes['r:embed'] ?? '', attributes['r:link'], paragraph);
        break;
      case 'v:imagedata':
        this.#picture(attributes['r:id'] ?? '', attributes['r:href'] ?? attributes.src, paragraph);
        break;
      case 'c:chart':
      case 'cx:chart':
        findings.charts += 1;
        break;
      case 'dgm:relIds':
        findings.diagrams += 1;
        break;
      case 'm:oMath':
        findings.equations += 1;
        break;
      case 'w:ruby':
        findings.ruby += 1;
        break;
      case 'w14:contentPart':
        findings.ink += 1;
        break;
      case 'o:OLEObject':
        if (attributes.Type !== 'Link') findings.embedded += 1;
        break;
      case 'w:altChunk':
        findings.imported += 1;
        break;
      default:
        this.#shapePart(name, attributes, paragraph);
    }
  }

  close(name: string): void {
    if (!isShape(name)) return;
    const shape = this.#shapes.pop();
    if (!shape) return;
    if (shape.hasTextBox) this.#findings.textBoxes += 1;
    else if (!shape.isLine && !shape.isPicture && !shape.isTextOnly) this.#findings.shapes += 1;
  }

  /** A box with text in it has ended. */
  textBox(): void {
    const shape = this.#shapes.at(-1);
    if (shape) shape.hasTextBox = true;
    else this.#findings.textBoxes += 1;
  }

  #shapePart(name: string, attributes: Attributes, paragraph: Paragraph | undefined): void {
    if (isShape(name)) {
      const isLine = name === 'v:line' || isOn(attributes['o:hr'] ?? '0');
      this.#shapes.push({ hasTextBox: false, isLine, isPicture: false, isTextOnly: false });
      return;
    }
    const shape = this.#shapes.at(-1);
    if (!shape) return;
    if (name === 'wps:cNvCnPr') shape.isLine = true;
    else if (name === 'a:prstGeom' && /line|connector/i.test(attributes.prst ?? '')) {
      shape.isLine = true;
    } else if (name === 'v:textpath' && attributes.string?.trim()) {
      shape.isTextOnly = true;
      paragraph?.after.push(plainBlock(attributes.string.trim()));
    }
  }

  #picture(id: string, linked: string | undefined, paragraph: Paragraph | undefined): void {
    const shape = this.#shapes.at(-1);
    if (shape) shape.isPicture = true;
    const held = this.#relationships.get(id);
    if (held && !held.external && this.#hasPart(held.target)) this.#findings.pictures += 1;
    else if (id !== '' || linked !== undefined) {
      this.#findings.absentPictures += 1;
      paragraph?.append('[picture]');
    }
  }
}

function isShape(name: string): boolean {
  return name === 'wps:wsp' || vmlShapes.has(name);
}
