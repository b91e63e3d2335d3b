/**
 * Word's door to the text route. It is apart from the door to the PDF route (`../to-pdf/index.ts`)
 * because each route has libraries of its own, which a single door would load together: mammoth
 * (with its JSZip and XML DOM) here, in the conversion process; fflate and image-size there, in the
 * process that prints.
 */
export { convertDocx } from './convert.ts';
