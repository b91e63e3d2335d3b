import { Parser } from 'htmlparser2';
import { AwsError } from '../aws/errors.ts';

/** Values of an XML element: text, nested elements, or several of the same name. */
export type XmlValue = string | number | boolean | undefined | XmlObject | XmlValue[];
export interface XmlObject {
  [name: string]: XmlValue;
}

/** Renders an XML document in S3's namespace. Undefined values are left out. */
export function renderXml(root: string, content: XmlObject): string {
  const body = elements(content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${body}</${root}>`;
}

/** Renders an S3 error document. */
export function renderError(code: string, message: string, resource: string, id: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements({
    Code: code,
    Message: message,
    Resource: resource,
    RequestId: id,
  })}</Error>`;
}

function elements(content: XmlObject): string {
  let out = '';
  for (const [name, value] of Object.entries(content)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === undefined || Array.isArray(item)) continue;
      out += `<${name}>${typeof item === 'object' ? elements(item) : escapeXml(String(item))}</${name}>`;
    }
  }
  return out;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/\p{Cc}/gu, (char) => `&#x${char.charCodeAt(0).toString(16)};`);
}

/**
 * Reads the flat items of a request document, such as every `Object` of a `Delete`.
 * @returns the text of the children of each `item` element, and of the root's other children
 * @throws {AwsError} MalformedXML when there are no such items
 */
export function parseItems(
  xml: string,
  root: string,
  item: string,
): { items: Record<string, string>[]; rest: Record<string, string> } {
  const items: Record<string, string>[] = [];
  const rest: Record<string, string> = {};
  const path: string[] = [];
  let text = '';
  let current: Record<string, string> | undefined;
  const parser = new Parser(
    {
      onopentag(name) {
        path.push(name);
        text = '';
        if (path.length === 2 && name === item) current = {};
      },
      ontext(data) {
        text += data;
      },
      onclosetag(name) {
        if (path.length === 3 && current) current[name] = text;
        if (path.length === 2) {
          if (name === item && current) items.push(current);
          else rest[name] = text;
          current = undefined;
        }
        if (path.length === 1 && name !== root) items.length = 0;
        path.pop();
        text = '';
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
  if (items.length === 0) {
    throw new AwsError('MalformedXML', `The XML you provided was not well-formed: no ${root}.`);
  }
  return { items, rest };
}
