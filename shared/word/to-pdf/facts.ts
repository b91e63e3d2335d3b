/** What the passes count while they rewrite a docx, for the record's warnings. */
export interface Facts {
  /** Pictures that the document shows, and those of them that the PDF cannot show. */
  imagesFound: number;
  imagesLost: number;
  /** Why pictures were lost, in words for people, with counts. */
  lostBecause: Map<string, number>;
  charts: number;
  chartsUnread: number;
  diagrams: number;
  textBoxes: number;
  /** Shapes without text, which are not in the PDF. */
  shapes: number;
  embedded: number;
  chunks: number;
  chunksUnread: number;
  deletions: number;
  hiddenWords: number;
  comments: number;
}

/** Why a picture is lost, where more than one place says so. */
export const lostReasons = {
  missing: 'missing from the file',
  linked: 'outside the file, not fetched',
} as const;

export function noFacts(): Facts {
  return {
    imagesFound: 0,
    imagesLost: 0,
    lostBecause: new Map(),
    charts: 0,
    chartsUnread: 0,
    diagrams: 0,
    textBoxes: 0,
    shapes: 0,
    embedded: 0,
    chunks: 0,
    chunksUnread: 0,
    deletions: 0,
    hiddenWords: 0,
    comments: 0,
  };
}
