import type { Section } from './story.ts';

/**
 * The relationship ids of the headers and footers that Word shows, in document order. Those for the
 * first page count only in a section whose first page differs, and those for even pages only if even
 * pages differ in the whole document; a section without its own has those of the section before it
 * (ECMA-376 part 1, 17.10). Word keeps the others in the file when the option is switched off.
 */
export function shownMargins(sections: Section[], hasEvenPages: boolean): string[] {
  const shown = new Set<string>();
  const current = new Map<string, string>();
  for (const { references, isFirstPageOther } of sections) {
    if (references.size === 0 && !isFirstPageOther) continue;
    for (const [use, id] of references) current.set(use, id);
    for (const [use, id] of current) {
      const isShown = use.endsWith(' first')
        ? isFirstPageOther
        : use.endsWith(' even')
          ? hasEvenPages
          : true;
      if (isShown) shown.add(id);
    }
  }
  return [...shown];
}
