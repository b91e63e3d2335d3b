import type { DrawingSource } from './canvas.ts';
import { chartXml } from './charts.ts';
import { diagramXml } from './diagrams.ts';
import { type Facts, lostReasons } from './facts.ts';
import type { DocxPackage, Relationships, WrittenPart } from './package.ts';
import { type Picture, readPictures } from './pictures.ts';

/** Writes each picture once, however many stories show it, with an id in each story. */
export class MediaWriter {
  readonly #written: WrittenPart[];
  readonly #names = new Map<string, string>();

  /** @param written the list that picture parts are added to */
  constructor(written: WrittenPart[]) {
    this.#written = written;
  }

  /** Adds the picture of the part `target` and returns its id in the relationships `to`. */
  add(target: string, picture: Extract<Picture, { shown: true }>, to: Relationships): string {
    let name = this.#names.get(target);
    if (name === undefined) {
      name = `word/media/p${this.#names.size + 1}.${picture.extension}`;
      this.#names.set(target, name);
      this.#written.push({ name, content: picture.bytes, relationships: new Map() });
    }
    const id = `pic-${name}`;
    to.set(id, { type: 'image', target: name, external: false });
    return id;
  }
}

/** What the drawings of one story refer to. */
export interface StorySource {
  pkg: DocxPackage;
  /** Relationships of the part the story is in. */
  from: Relationships;
  /** Relationships of the part the story is written to. */
  to: Relationships;
  media: MediaWriter;
  facts: Facts;
  /** EMU. */
  area: { width: number; height: number };
}

/** Reads all pictures, charts and diagrams that a story may show, in advance. */
export async function drawingSource(story: StorySource): Promise<DrawingSource> {
  const { pkg, from, to, media, facts, area } = story;
  const inside = [...from].filter(([, { external }]) => !external);
  const pictures = await readPictures(
    pkg,
    inside.filter(([, { type }]) => type === 'image').map(([, { target }]) => target),
  );
  const blocks = new Map<string, string | undefined>();
  for (const [id, { type, target }] of inside) {
    if (type !== 'chart' && type !== 'diagramData') continue;
    const part = await pkg.xml(target);
    blocks.set(id, part && (type === 'chart' ? chartXml(part) : diagramXml(part)));
  }
  const blocksOf = (id: string | undefined) => (id === undefined ? undefined : blocks.get(id));
  return {
    facts,
    area,
    picture(id) {
      const target = id === undefined ? undefined : from.get(id);
      if (!target) return { because: lostReasons.missing };
      if (target.external) return { because: lostReasons.linked };
      const picture = pictures.get(target.target);
      if (!picture?.shown) return { because: picture?.because ?? lostReasons.missing };
      return { id: media.add(target.target, picture, to) };
    },
    chart: blocksOf,
    diagram: blocksOf,
  };
}
