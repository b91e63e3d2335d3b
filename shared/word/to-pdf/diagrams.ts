import { paragraphXml } from './blocks.ts';
import { attribute, descendants, textOf, type XmlDocument } from './xml.ts';

/**
 * A SmartArt diagram (ECMA-376 part 1, 21.4) as an indented list of its texts, from its data model.
 * Undefined when it has none.
 */
export function diagramXml(data: XmlDocument): string | undefined {
  const texts = new Map<string, string>();
  const roots: string[] = [];
  for (const point of descendants(data, 'pt')) {
    const id = attribute(point, 'modelId');
    const type = attribute(point, 'type') ?? 'node';
    if (id === undefined) continue;
    if (type === 'doc') roots.push(id);
    if (type !== 'node' && type !== 'asst') continue;
    const paragraphs = descendants(point, 'p').map((p) => descendants(p, 't').map(textOf).join(''));
    texts.set(id, paragraphs.join(' ').trim());
  }
  const children = new Map<string, { id: string; order: number }[]>();
  for (const connection of descendants(data, 'cxn')) {
    if ((attribute(connection, 'type') ?? 'parOf') !== 'parOf') continue;
    const from = attribute(connection, 'srcId') ?? '';
    const siblings = children.get(from) ?? [];
    siblings.push({
      id: attribute(connection, 'destId') ?? '',
      order: Number(attribute(connection, 'srcOrd') ?? 0),
    });
    children.set(from, siblings);
  }

  const lines: string[] = [];
  const seen = new Set<string>();
  const stack = roots.map((id) => ({ id, level: 0 }));
  for (let at = stack.pop(); at; at = stack.pop()) {
    if (seen.has(at.id)) continue;
    seen.add(at.id);
    const text = texts.get(at.id);
    if (text) lines.push(paragraphXml(`• ${text}`, {}, Math.min(at.level, 8) * 360));
    const level = at.level + 1;
    const below = (children.get(at.id) ?? []).sort((a, b) => b.order - a.order);
    stack.push(...below.map(({ id }) => ({ id, level })));
  }
  // Points without a connection still have text.
  for (const [id, text] of texts) if (!seen.has(id) && text) lines.push(paragraphXml(`• ${text}`));
  return lines.length > 0 ? paragraphXml('[Diagram]', { bold: true }) + lines.join('') : undefined;
}
