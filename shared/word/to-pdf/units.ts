/** Lengths in Word files: English Metric Units in drawings, twentieths of a point (twips) in text. */

export const emuPerPoint = 12_700;
export const emuPerTwip = 635;
/** CSS pixels, 96 to the inch. */
export const emuPerPixel = 9_525;
export const twipsPerPoint = 20;
export const twipsPerInch = 1_440;
