/** What the preparing passes count while they rewrite a docx, for the record's warnings. */
export interface Facts {
  /** Pictures the document shows, and those that the PDF can show too. */
  imagesFound: number;
  imagesLost: number;
  /** Why pictures were lost: a word for people, and how often. */
  lostBecause: Map<string, number>;
  charts: number;
  chartsUnread: number;
  diagrams: number;
  textBoxes: number;
  /** Drawn shapes without text that are not in the PDF. */
  shapes: number;
  embedded: number;
  chunks: number;
  chunksUnread: number;
  deletions: number;
  hiddenWords: number;
  comments: number;
}

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
