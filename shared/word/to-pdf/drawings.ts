import type { Canvas, DrawingSource, Drawn } from './canvas.ts';
import { drawDrawing } from './drawingml.ts';
import { drawVml } from './vml.ts';
import { isElement, localName, mapChildren, type XmlElement, type XmlNode } from './xml.ts';

/**
 * Rewrites the drawings of a story. Pictures are set in the line, or float where text flows around
 * them; text boxes, charts and diagrams follow the paragraph they are anchored in. docx-preview
 * shows no text boxes, charts or diagrams, and lays pictures that float over the text on top of it.
 */
export function placeDrawings(root: XmlElement, source: DrawingSource): void {
  mapChildren(root, (node) => {
    if (!isElement(node)) return [node];
    if (localName(node) !== 'p') {
      placeDrawings(node, source);
      return [node];
    }
    const blocks: XmlNode[] = [];
    drawIn(node, source, blocks);
    return [node, ...blocks];
  });
}

/** Draws in a paragraph, run or link; what follows the paragraph is added to `blocks`. */
function drawIn(parent: XmlElement, source: DrawingSource, blocks: XmlNode[]): void {
  const replaced = (node: XmlElement, draw: (node: XmlElement, canvas: Canvas) => void) => {
    const drawn: Drawn = { inline: [], blocks };
    draw(node, { source, drawn, drawInside: (content) => placeDrawings(content, source) });
    return drawn.inline;
  };
  mapChildren(parent, (node) => {
    if (!isElement(node)) return [node];
    switch (localName(node)) {
      case 'drawing':
        return replaced(node, drawDrawing);
      case 'pict':
      case 'object':
        return replaced(node, drawVml);
      case 'r':
      case 'hyperlink':
        drawIn(node, source, blocks);
        return [node];
      default:
        return [node];
    }
  });
}
