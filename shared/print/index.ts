import { createRenderer } from './renderer.ts';
import type { Rendered, RenderInput } from './types.ts';

export { renderAssets } from './assets.ts';
export { createRenderer, type Renderer } from './renderer.ts';
export type { Rendered, RenderInput } from './types.ts';

/**
 * Makes a PDF of one docx, with a browser of its own that ends afterwards. For several documents,
 * `createRenderer` keeps a browser warm.
 * @throws RejectDocument `render.unavailable`, `render.unreadable`, `render.blank`,
 *   `render.timeout` or `render.crashed`
 */
export async function renderDocx(input: RenderInput): Promise<Rendered> {
  const renderer = createRenderer();
  try {
    return await renderer.render(input);
  } finally {
    await renderer.close();
  }
}
